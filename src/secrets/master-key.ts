import { randomBytes } from "node:crypto";

const KEY_BYTES = 32;
const BASE64_OF_KEY = /^[A-Za-z0-9+/]{43}=$/;

/** The text of a new key from which an installation's keys are derived: 32 random bytes in base64. */
export const newMasterKey = (): string => randomBytes(KEY_BYTES).toString("base64");

export const isMasterKey = (text: string): boolean => BASE64_OF_KEY.test(text);
