import { Resolver } from "node:dns/promises";
import { access, constants } from "node:fs/promises";
import path from "node:path";
import { errorCode, isMissing } from "../../embedded/file-errors.ts";
import { messageOf } from "../../errors.ts";
import { gatewayDirOf, gatewayDirProblem } from "../../roles/gateway-dir.ts";
import type { CheckContext, Finding } from "./finding.ts";

const DNS_TIMEOUT_MS = 2_000;
const DNS_TRIES = 2;
/** Nobody has this name, and every server may say so. */
const NOBODY = "deckhand-doctor.invalid";
const NO_ANSWER = new Set(["ETIMEOUT", "ECONNREFUSED", "ECANCELLED"]);

/** Whether the gateway and the sandboxes can meet: in a folder that the two share with nobody. */
export async function checkGatewayDir({ config }: CheckContext): Promise<Finding[]> {
  const subject = "Gateway folder";
  const { dir, isShortEnough } = gatewayDirOf(config);
  if (!isShortEnough) {
    const detail = `${dir} is too long for the path of a socket: a folder of the system's temporary one takes its place`;
    const mend =
      "Set DECKHAND_GATEWAY_DIR to a shorter one where the worker and the gateway have no such folder in common.";
    return [{ state: "warn", subject, detail, mend }];
  }
  try {
    const problem = await gatewayDirProblem(dir);
    if (problem) return [{ state: "fail", subject, ...problem }];
    return [{ state: "ok", subject, detail: `${dir} is private` }];
  } catch (error) {
    if (isMissing(error)) return [await missingDirFinding(subject, dir)];
    return [
      { state: "fail", subject, detail: `${dir}: ${messageOf(error)}`, mend: "Mend it, or set DECKHAND_GATEWAY_DIR." },
    ];
  }
}

async function missingDirFinding(subject: string, dir: string): Promise<Finding> {
  const parent = await nearestFolder(path.dirname(dir));
  try {
    await access(parent, constants.W_OK | constants.X_OK);
    return { state: "ok", subject, detail: `${dir} is made at the start` };
  } catch {
    const detail = `${dir} is not there, and ${parent} can't be written to`;
    return {
      state: "fail",
      subject,
      detail,
      mend: "Make it for this user, with mode 700, or set DECKHAND_GATEWAY_DIR.",
    };
  }
}

async function nearestFolder(dir: string): Promise<string> {
  try {
    await access(dir);
    return dir;
  } catch (error) {
    return isMissing(error) && path.dirname(dir) !== dir ? nearestFolder(path.dirname(dir)) : dir;
  }
}

/** Whether somebody answers about the names that sandboxes ask for. What the answer is does not matter. */
export async function checkDns({ config, signal }: CheckContext): Promise<Finding[]> {
  const named = config.gateway.dnsServers;
  const servers = named.length > 0 ? named : new Resolver().getServers();
  const which = named.length > 0 ? "DECKHAND_GATEWAY_DNS" : "the system's";
  const silent = (await Promise.all(servers.map(async (server) => ((await answers(server)) ? [] : [server])))).flat();
  signal.throwIfAborted();
  const subject = "DNS";
  if (silent.length === 0) return [{ state: "ok", subject, detail: `${servers.join(", ")} (${which}) answer` }];
  const mend =
    named.length > 0
      ? "Mend DECKHAND_GATEWAY_DNS, or unset it to use the system's."
      : "Mend /etc/resolv.conf, or set DECKHAND_GATEWAY_DNS: sandboxes reach nothing by name.";
  const detail = `no answer from ${silent.join(", ")} (${which})`;
  return [{ state: named.length > 0 && silent.length === servers.length ? "fail" : "warn", subject, detail, mend }];
}

async function answers(server: string): Promise<boolean> {
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: DNS_TRIES });
  resolver.setServers([server]);
  try {
    await resolver.resolve4(NOBODY);
    return true;
  } catch (error) {
    return !NO_ANSWER.has(errorCode(error) ?? "ETIMEOUT");
  }
}
