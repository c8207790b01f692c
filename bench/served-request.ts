import { z } from "zod";

/** What the model server remembers of a request; times as `epochMs` has them. */
export const ServedRequest = z.object({ receivedAt: z.number(), answeredAt: z.number().nullable() });
export type ServedRequest = z.infer<typeof ServedRequest>;
