/** Arguments that no tool takes: a call with these must not run, and its model is told. */
type BrokenInput = { invalid_json: string } | { cut_off_at_output_limit: string };

const KEYS: readonly string[] = ["invalid_json", "cut_off_at_output_limit"];

/** What stands for arguments that are no JSON. */
export const invalidInput = (json: string): BrokenInput => ({ invalid_json: json });

/** What stands for arguments that the model could not write to their end. */
export const cutOffInput = (json: string): BrokenInput => ({ cut_off_at_output_limit: json });

/** Whether a call's arguments are what no client should be shown: broken, or no object. Pure. */
export function isBrokenInput(input: unknown): boolean {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return true;
  const [key, ...others] = Object.keys(input);
  return key !== undefined && others.length === 0 && KEYS.includes(key);
}
