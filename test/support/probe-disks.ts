/** Says whether a process like this one can have disks for sandboxes. Arguments: folder, image, installation. */
import Docker from "dockerode";
import { createLog } from "../../src/log.ts";
import { probeLoopDisks } from "../../src/sandbox/disk-probe.ts";

const [dir = "", image = "", installationId = ""] = process.argv.slice(2);
const options = { docker: new Docker(), dir, image, installationId, log: createLog("info") };
const disks = await probeLoopDisks(options, new AbortController().signal);
process.stdout.write(`${JSON.stringify({ found: disks !== null })}\n`);
