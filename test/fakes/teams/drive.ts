import { randomUUID } from "node:crypto";
import type { Grant } from "./login.ts";
import type { Call, Operation, Reply } from "./operation.ts";
import { Refusal } from "./refusal.ts";
import { refuseWrongRange } from "./upload-range.ts";
import type { Conversation, DriveItem, World } from "./world.ts";

/** A file that is being uploaded in parts. */
export interface UploadSession {
  id: string;
  driveId: string;
  parentId: string;
  name: string;
  uniqueId: string;
  /** Null until the first range says it. */
  total: number | null;
  received: Buffer;
  expiresAt: number;
  /** The file, once whole. */
  item: DriveItem | null;
}

/** OneDrive and SharePoint: where files lie, and how they get there and back. */
export interface Drive {
  operations: readonly Operation[];
  readonly sessions: Map<string, UploadSession>;
  /** Begins an upload; its URL needs no token. */
  begin(place: { driveId: string; parentId: string; name: string; total: number | null }): {
    session: UploadSession;
    uploadUrl: string;
  };
  put(place: { driveId: string; parentId: string; name: string; by?: string }, bytes: Buffer): DriveItem;
  /** What a person attached, in the person's OneDrive or the channel's folder. */
  keep(conversation: Conversation, file: { name: string; bytes: Buffer; by: string }): DriveItem;
  /** Pre-authenticated, for a few minutes. */
  downloadUrl(item: DriveItem): string;
  /** The attachment that the bot gets in a personal chat. */
  downloadInfo(item: DriveItem): Record<string, unknown>;
  /** On the connector's host; opens with the bot's token. */
  inlineUrl(file: { name: string; bytes: Buffer }): string;
}

export interface DriveDeps {
  world: World;
  origin(): string;
  serviceUrl(): string;
  downloadLifetimeMs: number;
  /** @throws Refusal 401 */
  admitConnector(call: Call): Grant | null;
}

const SESSION_LIFETIME_MS = 15 * 60_000;

export function createDrive(deps: DriveDeps): Drive {
  const { world } = deps;
  const sessions = new Map<string, UploadSession>();
  const pictures = new Map<string, Buffer>();
  const tempauths = new Map<string, { item: DriveItem; expiresAt: number }>();

  const put: Drive["put"] = ({ driveId, parentId, name, by = null }, bytes) => {
    const known = world.items.find(
      (each) => each.driveId === driveId && each.parentId === parentId && each.name === name,
    );
    if (known) return Object.assign(known, { bytes });
    const id = world.nextId("item-");
    const webUrl = `https://acme.sharepoint.test/sites/${driveId.slice(2)}/${parentId}/${encodeURIComponent(name)}`;
    const item = { id, driveId, parentId, name, bytes, uniqueId: randomUUID(), webUrl, by };
    world.items.push(item);
    return item;
  };
  const downloadUrl = (item: DriveItem) => {
    const tempauth = randomUUID();
    tempauths.set(tempauth, { item, expiresAt: world.clock.now() + deps.downloadLifetimeMs });
    return `${deps.origin()}/onedrive/download/${item.id}?tempauth=${tempauth}`;
  };

  const openSession = (id = ""): UploadSession => {
    const session = sessions.get(id);
    if (session && !session.item && session.expiresAt > world.clock.now()) return session;
    throw new Refusal(404, "itemNotFound", "The upload session was not found.");
  };
  const upload = (call: Call): Reply => {
    const session = openSession(call.params[0]);
    if (call.headers.authorization !== undefined)
      throw new Refusal(401, "unauthenticated", "An upload URL takes no token.", {
        violation: "a token was sent to an upload URL",
      });
    const { total, end } = refuseWrongRange(session, call);
    session.total = total;
    session.received = Buffer.concat([session.received, call.body]);
    if (end + 1 < total) {
      const expirationDateTime = new Date(session.expiresAt).toISOString();
      return { status: 202, body: { expirationDateTime, nextExpectedRanges: [`${end + 1}-`] } };
    }
    session.item = Object.assign(put(session, session.received), { uniqueId: session.uniqueId });
    return { status: 201, body: itemWire(session.item) };
  };

  return {
    sessions,
    put,
    downloadUrl,
    begin(place) {
      const id = world.nextId("upload-");
      const expiresAt = world.clock.now() + SESSION_LIFETIME_MS;
      const fresh = { id, expiresAt, uniqueId: randomUUID(), received: Buffer.alloc(0), item: null };
      const session = { ...place, ...fresh };
      sessions.set(id, session);
      return { session, uploadUrl: `${deps.origin()}/onedrive/upload/${id}` };
    },
    keep({ kind, folder, key }, { name, bytes, by }) {
      const place =
        kind === "channel" && folder ? folder : { driveId: `b!onedrive-${key}`, itemId: "teams-chat-files" };
      return put({ driveId: place.driveId, parentId: place.itemId, name, by }, bytes);
    },
    downloadInfo: (item) => ({
      contentType: "application/vnd.microsoft.teams.file.download.info",
      contentUrl: item.webUrl,
      name: item.name,
      content: { downloadUrl: downloadUrl(item), uniqueId: item.uniqueId, fileType: item.name.split(".").at(-1) ?? "" },
    }),
    inlineUrl({ bytes }) {
      const id = world.nextId("0-inline-");
      pictures.set(id, bytes);
      return `${deps.serviceUrl()}v3/attachments/${id}/views/original`;
    },
    operations: [
      { name: "upload", method: "PUT", path: /^\/onedrive\/upload\/([^/]+)$/, run: upload },
      {
        name: "uploadState",
        method: "GET",
        path: /^\/onedrive\/upload\/([^/]+)$/,
        run({ params }) {
          const session = openSession(params[0]);
          const expirationDateTime = new Date(session.expiresAt).toISOString();
          return { status: 200, body: { expirationDateTime, nextExpectedRanges: [`${session.received.length}-`] } };
        },
      },
      {
        name: "uploadCancel",
        method: "DELETE",
        path: /^\/onedrive\/upload\/([^/]+)$/,
        run: ({ params }) => ({ status: sessions.delete(params[0] ?? "") ? 204 : 404 }),
      },
      {
        name: "download",
        method: "GET",
        path: /^\/onedrive\/download\/([^/]+)$/,
        run({ params, query, headers }) {
          const open = tempauths.get(query.get("tempauth") ?? "");
          if (headers.authorization !== undefined)
            throw new Refusal(401, "unauthenticated", "Two ways to authenticate.", {
              violation: "a token was sent to a download URL",
            });
          if (open?.item.id !== params[0] || open === undefined || open.expiresAt <= world.clock.now())
            throw new Refusal(401, "unauthenticated", "The download URL has expired.");
          return { status: 200, body: open.item.bytes };
        },
      },
      {
        name: "inlineImage",
        method: "GET",
        path: /^\/amer\/v3\/attachments\/([^/]+)\/views\/original$/,
        run(call) {
          deps.admitConnector(call);
          const bytes = pictures.get(call.params[0] ?? "");
          if (!bytes) throw new Refusal(404, "NotFound", "No such attachment.");
          return { status: 200, body: bytes, headers: { "content-type": "image/png" } };
        },
      },
    ],
  };
}

export function itemWire({ id, name, bytes, webUrl, uniqueId, driveId, parentId, by }: DriveItem) {
  const author = by === null ? { application: { displayName: "Deckhand" } } : { user: { id: by } };
  return {
    id,
    name,
    size: bytes.length,
    webUrl: `${webUrl}?web=1`,
    webDavUrl: webUrl,
    eTag: `"{${uniqueId.toUpperCase()}},1"`,
    file: { mimeType: "application/octet-stream" },
    parentReference: { driveId, id: parentId },
    createdBy: author,
    lastModifiedBy: author,
  };
}
