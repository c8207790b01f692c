import path from "node:path";
import { z } from "zod";
import { startProcess } from "./spawned.ts";

const START_TIMEOUT_MS = 10_000;

const Ports = z.object({ port: z.number(), dnsPort: z.number() });

export interface UpstreamOptions {
  name: string;
  /** What it looks for as a bearer token; it answers whether it was there. */
  secret: string;
  /** Gets the certificate of the authority that vouches for it. */
  authorityFile: string;
}

export interface UpstreamProcess extends z.infer<typeof Ports> {
  stop(): Promise<void>;
}

/** An https server with its DNS, in a process of its own. */
export async function startUpstreamProcess(options: UpstreamOptions): Promise<UpstreamProcess> {
  const { name, secret, authorityFile } = options;
  const program = path.join(import.meta.dirname, "upstream-server.ts");
  const started = startProcess(process.execPath, [program, name, secret, authorityFile]);
  const ports = Ports.parse(JSON.parse(await started.firstLine(/^(\{.*\})$/m, START_TIMEOUT_MS)));
  return { ...ports, stop: () => started.kill("SIGKILL") };
}
