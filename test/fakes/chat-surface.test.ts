import { describe, expect, it } from "vitest";
import { chatSurfaceContract } from "../contracts/chat-surface.ts";
import { createChatService } from "./chat-surface.ts";

for (const drafts of ["none", "stream"] as const) {
  chatSurfaceContract(`the fake, with drafts: ${drafts}`, async () => {
    let threads = 0;
    return {
      async newThread() {
        const service = createChatService();
        return {
          thread: `slack:T1:C1:${++threads}.0` as const,
          surface: service.surface({ drafts }),
          afterCrash: async () => service.surface({ drafts }),
          seen: async () => ({
            texts: JSON.stringify(service.posts.map(({ message }) => message)),
            files: Object.fromEntries(
              service.uploads.flatMap(({ files }) => files.map(({ name, content }) => [name, content])),
            ),
          }),
        };
      },
      close: async () => undefined,
    };
  });
}

describe("the fake", () => {
  it("ends a stream whose text does not go on from what it showed, as strict surfaces do", async () => {
    const service = createChatService();
    const stream = await service
      .surface({ drafts: "stream" })
      .openStream("slack:T1:C1:1.0", new AbortController().signal);
    stream?.show("Revenue");
    stream?.show("Costs");
    expect(service.posts).toMatchObject([{ streaming: false, message: { markdown: "Revenue" } }]);
  });
});
