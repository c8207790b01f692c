import { chatSurfaceContract } from "../../contracts/chat-surface.ts";
import { openSurfaceRig } from "./surface-rig.ts";

for (const [where, kind] of [
  ["in a channel", "channel"],
  ["in a group chat", "groupChat"],
  ["in a personal chat", "personal"],
] as const) {
  chatSurfaceContract(
    `Teams, as our fake has it, ${where}`,
    async () => {
      const rig = await openSurfaceRig();
      return {
        async newThread() {
          const { thread, conversation, rootId } = await rig.newThread(kind);
          return {
            thread,
            surface: rig.surface(),
            afterCrash: async () => rig.surface(),
            async seen() {
              const written = rig.fake.written(conversation.id, rootId ?? undefined);
              return {
                texts: JSON.stringify(written.map(({ wire }) => [wire["text"], wire["attachments"]])),
                files: {},
              };
            },
          };
        },
        async close() {
          await rig.close();
          if (rig.fake.violations.length > 0) throw new Error(rig.fake.violations.join("\n"));
        },
      };
    },
    { asking: true, files: true },
  );
}
