import { z } from "zod";

/** Every kind of job. Payloads hold ids and nothing else: the state is in the database. */
export const jobs = {
  /** A harness should look at this session. */
  "run-session": z.object({ session_id: z.string() }),
  /** An environment was saved whose packages may be in no image yet. */
  "build-environment": z.object({ workspace_id: z.string(), environment_id: z.string() }),
  /** Something happened that this chat thread should show. */
  "deliver-thread": z.object({ chat_thread_key: z.string() }),
  /** Somebody did something in this chat thread that was not dealt with yet. */
  "take-in": z.object({ chat_thread_key: z.string() }),
};
