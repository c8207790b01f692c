import { Anthropic } from "@anthropic-ai/sdk";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ChatFile } from "../../bots/shared/chat-surface.ts";
import type { UploadInfo } from "../../bots/teams/activity.ts";
import { settleConsent } from "../../bots/teams/consents.ts";
import { startTeamsConsents } from "../../workers/teams-consents.ts";
import { openSurfaceRig, type SurfaceRig } from "../bots/teams/surface-rig.ts";
import { SILENT } from "../support/silent-log.ts";

const { signal } = new AbortController();
/** More than one part. */
const BYTES = Buffer.alloc(11 * 1024 * 1024, "deckhand");
let rig: SurfaceRig;
let server: Server;
let client: Anthropic;

beforeAll(async () => {
  rig = await openSurfaceRig();
  ({ server, client } = await startFiles());
});
afterEach(() => rig.refuseViolations());
afterAll(async () => {
  server.close();
  await rig.close();
});

const file: ChatFile = {
  id: "file_report",
  filename: "report.xlsx",
  mimeType: "application/octet-stream",
  sizeBytes: BYTES.length,
  content: async () => new Blob([BYTES]).stream(),
  preview: async () => null,
  link: async () => null,
};

/** A file that was offered, and the person's answer on its way to whoever keeps it. */
async function offered() {
  const { thread, conversation, user } = await rig.newThread("personal");
  await rig.surface().upload(thread, [file], "dh_f", signal);
  const offer = rig.fake.written(conversation.id).find(({ wire }) => JSON.stringify(wire).includes("file.consent"));
  if (!offer) throw new Error("Nothing was offered.");
  const answer = async (how: "accept" | "decline", change: (info: UploadInfo) => UploadInfo = (info) => info) => {
    const { context, uploadInfo } = valueOf(rig.fake.consent(offer.id, user.id, how).delivery.activity);
    const kept = how === "accept" ? "accepted" : "declined";
    return await rig.consents.answer(context.consent_id, thread, kept, uploadInfo ? change(uploadInfo) : null);
  };
  const shown = () => JSON.stringify(rig.fake.written(conversation.id).find(({ id }) => id === offer.id)?.wire);
  const saved = () => rig.fake.world.items.find(({ driveId }) => driveId === `b!onedrive-${user.key}`);
  return { thread, conversation, answer, shown, saved };
}

function worker(more: Partial<Parameters<typeof startTeamsConsents>[0]> = {}) {
  const deps = { client, consents: rig.consents, posting: rig.posting, hosts: [rig.fake.url], log: SILENT };
  return startTeamsConsents({ ...deps, intervalMs: 20, ...more });
}

describe("a file that was offered", () => {
  it("is uploaded in parts when it is accepted, and shown in place of the offer", async () => {
    const { answer, shown, saved } = await offered();
    await answer("accept");
    const running = worker();
    await rig.fake.until("the file", () => shown()?.includes("file.info"), 15_000);
    await running.stop();
    expect(saved()?.bytes.equals(BYTES)).toBe(true);
    expect(shown()).toContain(saved()?.uniqueId);
    expect(shown()).not.toContain("file.consent");
  });

  it("comes as a link in place of the offer when it is declined, and a second answer changes nothing", async () => {
    const { answer, shown } = await offered();
    expect(await answer("decline")).toBe(true);
    expect(await answer("accept")).toBe(false);
    const running = worker();
    await rig.fake.until("the link", () => shown()?.includes("https://deckhand.test/report"));
    await running.stop();
    expect(shown()).toContain("Not saved to your OneDrive");
    expect(shown()).not.toContain("file.consent");
  });

  it("stays offered while nobody answers", async () => {
    const { shown } = await offered();
    expect(await rig.consents.claimNext(60_000)).toBeNull();
    expect(shown()).toContain("file.consent");
  });

  it("is answered from its own chat alone", async () => {
    const { conversation } = await offered();
    const other = await rig.newThread("personal");
    const row = await rig.database.prisma.teamsConsent.findFirstOrThrow({
      where: { chatThreadKey: { contains: conversation.id } },
    });
    expect(await rig.consents.answer(row.id, other.thread, "declined", null)).toBe(false);
  });

  it.each([
    "https://evil.test/upload",
    "http://acme.sharepoint.com/upload",
    "https://acme.sharepoint.com.evil.test/up",
  ])("is not sent to %s", async (uploadUrl) => {
    const { answer, shown } = await offered();
    await answer("accept", (info) => ({ ...info, uploadUrl }));
    const running = worker();
    await rig.fake.until("the link", () => shown()?.includes("could not be saved"));
    await running.stop();
    expect(shown()).toContain("https://deckhand.test/report");
  });

  it("keeps where it may be put unreadable in the database, and forgets it afterwards", async () => {
    const { thread, answer, shown } = await offered();
    await answer("accept");
    const row = () => rig.database.prisma.teamsConsent.findFirstOrThrow({ where: { chatThreadKey: thread } });
    expect(Buffer.from((await row()).upload ?? []).toString("latin1")).not.toContain("/onedrive/upload");
    const running = worker();
    await rig.fake.until("the file", () => shown()?.includes("file.info"), 15_000);
    await expect.poll(async () => (await row()).settledAt).not.toBeNull();
    await running.stop();
    expect((await row()).upload).toBeNull();
  });

  it("is uploaded by another process when the first one dies in the middle", async () => {
    const { answer, shown, saved } = await offered();
    await answer("accept");
    const dying = await rig.consents.claimNext(50);
    // Its connection hangs, and then it is gone, without a word.
    const hit = rig.fake.fail("upload", { type: "hang", when: "before" });
    const gone = new AbortController();
    const deps = { client, consents: rig.consents, posting: rig.posting, hosts: [rig.fake.url], log: SILENT };
    const died = dying && settleConsent(deps, dying, gone.signal).catch(() => "died");
    await hit;
    gone.abort();
    expect(await died).toBe("died");
    const running = worker({ claimMs: 50 });
    await rig.fake.until("the file", () => shown()?.includes("file.info"), 15_000);
    await running.stop();
    expect(saved()?.bytes.equals(BYTES)).toBe(true);
  });

  it("is not sent again by a process that finds it uploaded", async () => {
    const { answer, shown } = await offered();
    await answer("accept");
    const uploads = () => rig.fake.callsTo("upload").length;
    const before = uploads();
    void rig.fake.fail("update", { type: "http", status: 502 }, { times: 1 });
    const running = worker();
    await rig.fake.until("the file", () => shown()?.includes("file.info"), 15_000);
    await running.stop();
    expect(uploads() - before).toBe(2);
  });
});

function valueOf(activity: Record<string, unknown>): { context: { consent_id: string }; uploadInfo?: UploadInfo } {
  return Object(activity["value"]);
}

/** The part of the API that has files. */
async function startFiles() {
  const server = createServer((request, response) => {
    const path = request.url?.split("?")[0] ?? "";
    if (path.endsWith("/content")) return void response.end(BYTES);
    response.setHeader("content-type", "application/json");
    const link = { type: "file_link", url: "https://deckhand.test/report", expires_at: "2099-01-01T00:00:00Z" };
    const metadata = {
      id: file.id,
      type: "file",
      filename: file.filename,
      mime_type: file.mimeType,
      size_bytes: BYTES.length,
    };
    response.end(
      JSON.stringify(
        path.endsWith("/link") ? link : { ...metadata, created_at: "2026-11-22T00:00:00Z", downloadable: true },
      ),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("No port was given.");
  return {
    server,
    client: new Anthropic({ apiKey: "key", baseURL: `http://127.0.0.1:${address.port}`, maxRetries: 0 }),
  };
}
