import { z } from "zod";
import { itemWire } from "./drive.ts";
import { channelOf, get, type GraphDeps, ok, permitted } from "./graph-access.ts";
import { bodyAs, type Call, type Operation, type Reply } from "./operation.ts";
import { badSyntax, Refusal } from "./refusal.ts";
import type { DriveItem } from "./world.ts";

const READ = ["Files.Read.All", "Files.ReadWrite.All", "Sites.Read.All", "Sites.ReadWrite.All", "Sites.Selected"];
const WRITE = ["Files.ReadWrite.All", "Sites.ReadWrite.All", "Sites.Selected"];
const Behavior = z.enum(["rename", "replace", "fail"]);
const SessionBody = z.strictObject({
  item: z
    .strictObject({ "@microsoft.graph.conflictBehavior": Behavior.optional(), name: z.string().optional() })
    .optional(),
});
const LinkBody = z.strictObject({
  type: z.enum(["view", "edit"]),
  scope: z.enum(["organization", "users", "anonymous"]),
});
const ITEM = String.raw`^/graph/v1\.0/drives/([^/]+)/items/([^/:]+)`;

/** Files of channels, what was shared, and uploads. */
export function driveOperations(deps: GraphDeps): Operation[] {
  const { world, drive } = deps;
  const itemAt = (driveId: string | undefined, id: string | undefined): DriveItem => {
    const item = world.items.find((each) => each.driveId === driveId && each.id === id);
    if (!item) throw new Refusal(404, "itemNotFound", "The resource could not be found.");
    return item;
  };
  const redirect = (item: DriveItem): Reply => ({ status: 302, headers: { location: drive.downloadUrl(item) } });
  const shared = (call: Call): DriveItem => {
    permitted(deps, call, READ);
    const url = sharedUrl(call.params[0] ?? "");
    const item = world.items.find(({ webUrl }) => webUrl === url);
    if (!item) throw new Refusal(404, "itemNotFound", "The sharing link no longer exists.");
    return item;
  };

  return [
    get("filesFolder", /^\/graph\/v1\.0\/teams\/([^/]+)\/channels\/([^/]+)\/filesFolder$/, (call) => {
      const grant = permitted(deps, call, [...READ, "File.Read.Group"]);
      const { folder, name } = channelOf(deps, grant, call.params[0] ?? "", call.params[1] ?? "");
      if (!folder) throw new Refusal(404, "itemNotFound", "The channel has no folder yet.");
      return ok({
        id: folder.itemId,
        name,
        parentReference: { driveId: folder.driveId, driveType: "documentLibrary" },
      });
    }),
    {
      name: "graph.putContent",
      method: "PUT",
      path: new RegExp(`${ITEM}:/([^/]+):/content$`),
      run(call) {
        permitted(deps, call, WRITE);
        const place = placeOf(call);
        const before = world.items.length;
        const item = drive.put(freeName(deps, place, conflictOf(call)), call.body);
        return { status: world.items.length > before ? 201 : 200, body: itemWire(item) };
      },
    },
    {
      name: "graph.createUploadSession",
      method: "POST",
      path: new RegExp(`${ITEM}:/([^/]+):/createUploadSession$`),
      run(call) {
        permitted(deps, call, WRITE);
        const conflict = bodyAs(SessionBody, call).item?.["@microsoft.graph.conflictBehavior"] ?? "fail";
        const { session, uploadUrl } = drive.begin({ ...freeName(deps, placeOf(call), conflict), total: null });
        return ok({
          uploadUrl,
          expirationDateTime: new Date(session.expiresAt).toISOString(),
          nextExpectedRanges: ["0-"],
        });
      },
    },
    {
      name: "graph.createLink",
      method: "POST",
      path: new RegExp(`${ITEM}/createLink$`),
      run(call) {
        permitted(deps, call, WRITE);
        const { webUrl } = itemAt(call.params[0], call.params[1]);
        return { status: 201, body: { id: "link", roles: ["read"], link: { ...bodyAs(LinkBody, call), webUrl } } };
      },
    },
    get("item", new RegExp(`${ITEM}$`), (call) => {
      permitted(deps, call, READ);
      return ok(itemWire(itemAt(call.params[0], call.params[1])));
    }),
    get("content", new RegExp(`${ITEM}/content$`), (call) => {
      permitted(deps, call, READ);
      return redirect(itemAt(call.params[0], call.params[1]));
    }),
    get("share", /^\/graph\/v1\.0\/shares\/([^/]+)\/driveItem$/, (call) => ok(itemWire(shared(call)))),
    get("shareContent", /^\/graph\/v1\.0\/shares\/([^/]+)\/driveItem\/content$/, (call) => redirect(shared(call))),
  ];
}

function placeOf({ params: [driveId = "", parentId = "", name = ""] }: Call) {
  return { driveId, parentId, name };
}

function conflictOf({ query }: Call): z.infer<typeof Behavior> {
  return Behavior.catch("replace").parse(query.get("@microsoft.graph.conflictBehavior"));
}

/** @throws Refusal 409 when there is one by that name and the bot said `fail` */
function freeName({ world }: GraphDeps, place: ReturnType<typeof placeOf>, conflict: z.infer<typeof Behavior>) {
  const taken = (name: string) =>
    world.items.some(
      (each) => each.driveId === place.driveId && each.parentId === place.parentId && each.name === name,
    );
  if (!taken(place.name) || conflict === "replace") return place;
  if (conflict === "fail") throw new Refusal(409, "nameAlreadyExists", "An item with the same name already exists.");
  const [stem = place.name, ...extension] = place.name.split(/(?=\.[^.]+$)/);
  let count = 1;
  while (taken(`${stem} ${count}${extension.join("")}`)) count += 1;
  return { ...place, name: `${stem} ${count}${extension.join("")}` };
}

/** `u!` and the URL in base64url without padding. */
function sharedUrl(id: string): string {
  if (!/^u![\w-]+$/.test(id)) throw badSyntax(`no share id: ${id}`);
  return Buffer.from(id.slice(2), "base64url").toString("utf8");
}
