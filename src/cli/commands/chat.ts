import { randomBytes } from "node:crypto";
import path from "node:path";
import { parseArgs } from "node:util";
import { chatThreadKey } from "../../../bots/shared/chat-thread.ts";
import { findChatAgent } from "../../../bots/shared/default-agent.ts";
import { notice } from "../../../bots/shared/render.ts";
import { chatFromPipe, createLineHandler } from "../../../bots/terminal/chat.ts";
import { replay } from "../../../bots/terminal/replay.ts";
import { chatInteractively } from "../../../bots/terminal/interactive.ts";
import { createScreen, type Screen } from "../../../bots/terminal/screen.ts";
import { openTerminalThread } from "../../../bots/terminal/terminal-thread.ts";
import { layoutFor, viewFor } from "../../../bots/terminal/views.ts";
import { loadConfig } from "../../config.ts";
import { createLog } from "../../log.ts";
import { type Command, type CommandIo, UsageError } from "../command.ts";
import { connect, inPlainWords, type Connection } from "../connection.ts";
import { createProgress } from "../progress.ts";

export const command: Command = {
  summary: "Talk with the agent in this terminal",
  usage: `Usage: deckhand chat [--thread ID] [--agent ID] [--url URL]

Opens a thread in the terminal. What the agent makes is saved in the current folder; nothing is ever overwritten.
Talks to the server that runs in this home (deckhand up), or starts everything itself. With standard input from a
pipe, each line is a message, and the command ends when the agent is done with the last one.

Options:
  --thread ID   Go on with an earlier thread.
  --agent ID    Use this agent instead of the default one.
  --url URL     Talk to this server. DECKHAND_API_KEY is its key.

While it runs: /attach FILE, /stop, /status, /new, /help, /quit. Ctrl-C stops the turn, twice leaves.`,

  async run(args, io) {
    const options = readOptions(args);
    const config = loadConfig(io.root);
    // A person is looking at this terminal: only what they have to know.
    const log = createLog(config.logLevel === "info" ? "error" : config.logLevel);
    const ended = new AbortController();
    const signal = AbortSignal.any([io.signal, ended.signal]);
    const connection = await connect({ config, url: options.url, log, progress: createProgress(io.stderr), signal });
    try {
      const delivered = await talk({
        io,
        connection,
        options,
        directory: path.join(config.home, "terminal"),
        model: config.defaultModel,
        log,
        ended,
      });
      return delivered ? 0 : 1;
    } catch (error) {
      throw inPlainWords(error);
    } finally {
      ended.abort();
      await connection.close();
    }
  },
};

interface Options {
  threadId: string | null;
  agentId: string | null;
  url: string | null;
}

interface Talk {
  io: CommandIo;
  connection: Connection;
  options: Options;
  directory: string;
  model: string | null;
  log: ReturnType<typeof createLog>;
  ended: AbortController;
}

async function talk({ io, connection, options, directory, model, log, ended }: Talk): Promise<boolean> {
  const { client } = connection;
  const signal = AbortSignal.any([io.signal, ended.signal]);
  const agent = await findChatAgent({ client, model, agentId: options.agentId }, signal);
  const threadId = options.threadId ?? randomBytes(3).toString("hex");
  const screen: Screen | null = io.stdout.isTTY && io.stdin.isTTY ? createScreen(io.stdout) : null;
  const view = viewFor(io.stdout, screen, io.cwd);
  view.message(notice("info", `Thread \`${threadId}\`, model ${agent.model}. \`/help\` lists the commands.`));

  const thread = await openTerminalThread({
    client,
    agent,
    threadId,
    directory,
    view,
    folder: io.cwd,
    savePreviews: false,
    log,
    signal,
    onOpen: (transcript) => replay(transcript, view),
  });
  try {
    const handler = createLineHandler({ thread, cwd: io.cwd, show: (message) => view.message(message) });
    if (screen) {
      const { style } = layoutFor(io.stdout);
      await chatInteractively({
        input: io.stdin,
        output: io.stdout,
        screen,
        view,
        thread,
        handler,
        style,
        signal: io.signal,
      });
      io.stdout.write(`To go on with this thread: deckhand chat --thread ${threadId}\n`);
      return true;
    }
    return await chatFromPipe(io.stdin, handler, thread);
  } finally {
    ended.abort();
    await thread.close();
  }
}

function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: { thread: { type: "string" }, agent: { type: "string" }, url: { type: "string" } },
  });
  if (values.thread !== undefined) checkThreadId(values.thread);
  if (values.url !== undefined && !/^https?:$/.test(URL.parse(values.url)?.protocol ?? "")) {
    throw new UsageError(`--url ${values.url} is not an http:// or https:// URL.`);
  }
  return { threadId: values.thread ?? null, agentId: values.agent ?? null, url: values.url ?? null };
}

function checkThreadId(id: string): void {
  try {
    chatThreadKey({ surface: "terminal", id });
  } catch (error) {
    throw new UsageError(`--thread ${id} is not a thread id: letters, digits, - and _ only.`, { cause: error });
  }
}
