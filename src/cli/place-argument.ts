import { ChatPlaceKeyError, parseChatPlaceKey, type ChatPlaceKey } from "../../bots/shared/chat-place.ts";
import { UsageError } from "./command.ts";

/** @throws UsageError that says what a place looks like */
export function placeNamed(given: string | undefined): ChatPlaceKey {
  if (given === undefined) {
    const teams = "in Teams teams:TENANT:CONVERSATION or teams:TENANT";
    throw new UsageError(`name a place, such as slack:T0123:C0456 or slack:T0123; ${teams}.`);
  }
  try {
    return parseChatPlaceKey(given);
  } catch (error) {
    if (error instanceof ChatPlaceKeyError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}
