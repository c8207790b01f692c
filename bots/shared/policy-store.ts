import type { Database } from "../../src/database.ts";
import { mergePolicy, PolicySettings } from "./channel-policy.ts";
import { parseChatPlaceKey, teamOf } from "./chat-place.ts";
import type { PolicyStore } from "./chat-records.ts";

/** Settings are read anew each time, so that a change holds from the next message on. */
export function createPolicyStore(prisma: Database["prisma"]): PolicyStore {
  return {
    async of(place) {
      const rows = await prisma.chatPolicy.findMany({ where: { place: { in: [teamOf(place), place] } } });
      // A team's key is shorter than those of its channels.
      const widestFirst = rows.toSorted((a, b) => a.place.length - b.place.length);
      return mergePolicy(...widestFirst.map((row) => PolicySettings.parse(row.settings)));
    },

    async settings(place) {
      const row = await prisma.chatPolicy.findUnique({ where: { place } });
      return row && PolicySettings.parse(row.settings);
    },

    async set(place, settings) {
      await prisma.$executeRaw`
        INSERT INTO chat_policies (place, settings) VALUES (${place}, ${JSON.stringify(settings)}::jsonb)
        ON CONFLICT (place) DO UPDATE SET settings = EXCLUDED.settings, updated_at = now()`;
    },

    async unset(place) {
      const { count } = await prisma.chatPolicy.deleteMany({ where: { place } });
      return count === 1;
    },

    async list() {
      const rows = await prisma.chatPolicy.findMany({ orderBy: { place: "asc" } });
      return rows.map((row) => ({
        place: parseChatPlaceKey(row.place),
        settings: PolicySettings.parse(row.settings),
      }));
    },
  };
}
