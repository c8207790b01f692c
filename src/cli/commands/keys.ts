import { parseArgs } from "node:util";
import type { Config } from "../../config.ts";
import { masterKeyFiles, type MasterKeys, openMasterKey } from "../../roles/master-key.ts";
import { replaceMasterKey } from "../../roles/replace-master-key.ts";
import {
  createEncryptedColumnStore,
  type EncryptedColumnStore,
  type KeyUse,
} from "../../secrets/encrypted-column-store.ts";
import { createLocalCipher, keyIdOf } from "../../secrets/local-cipher.ts";
import { type Command, type CommandIo, UsageError } from "../command.ts";
import { withDatabase } from "../with-database.ts";

export const command: Command = {
  summary: "Replace the master key that stored secrets are encrypted with",
  usage: `Usage: deckhand keys status [--json]
       deckhand keys rotate

status  Says which keys stored secrets are encrypted with, by ids that tell nothing of the keys.
rotate  Encrypts them all with the current key. Other processes may run meanwhile; when it is interrupted, run it again.

With a key in the home's file \`master-key\`, rotate makes a new one first, and keeps the old in \`master-key.previous\`.
Processes that run take it up by themselves. Restart them all, the gateway first, and run rotate again: it ends what they
wrote meanwhile. Delete the file when status names no earlier key any more. While it is there, rotate makes no other key.

With DECKHAND_MASTER_KEY: add the new key to DECKHAND_MASTER_KEY_PREVIOUS, and restart every process; then swap the two,
and restart every process again; then rotate, and unset DECKHAND_MASTER_KEY_PREVIOUS when status no longer names its key.

Placeholders in sandboxes come of the key. The gateway swaps those of every key that it was started with.`,

  async run([action, ...args], io) {
    switch (action) {
      case "status":
        return status(args, io);
      case "rotate":
        return rotate(args, io);
      default:
        throw new UsageError(
          `${action === undefined ? "say what to do" : `there is no \`keys ${action}\``}: status or rotate.`,
        );
    }
  },
};

type KeyName = "current" | "previous" | "unknown";

async function status(args: string[], io: CommandIo): Promise<number> {
  const { values } = parseArgs({ args, options: { json: { type: "boolean" } } });
  return withDatabase(io, async (database, config) => {
    const nameOf = keyNames(await openMasterKey(config));
    const uses = await createEncryptedColumnStore(database.pool).keyUses();
    const named = uses.map((use) => ({ ...use, key: nameOf(use) }));
    if (values.json) {
      io.stdout.write(`${JSON.stringify(named)}\n`);
    } else if (named.length === 0) {
      io.stdout.write("No secrets are stored.\n");
    } else {
      for (const { place, keyId, key, rows } of named) {
        io.stdout.write(`${place.padEnd(32)}  ${keyId}  ${key.padEnd(8)}  ${rows}\n`);
      }
    }
    return 0;
  });
}

async function rotate(args: string[], io: CommandIo): Promise<number> {
  parseArgs({ args, options: {} });
  return withDatabase(io, (database, config) => {
    const store = createEncryptedColumnStore(database.pool);
    return store.exclusively(() => rotateAlone(store, config, io));
  });
}

async function rotateAlone(store: EncryptedColumnStore, config: Config, io: CommandIo): Promise<number> {
  const say = (text: string) => io.stdout.write(`${text}\n`);
  const before = await openMasterKey(config);
  const unfinished = (await store.keyUses()).some((use) => keyNames(before)(use) === "previous");
  const files = masterKeyFiles(config.home);
  // A rotation that was killed before it had a new key leaves the current one among the earlier.
  const hasEarlier = before.previous.some((key) => keyIdOf(key) !== keyIdOf(before.current));
  if (config.masterKey === null && !unfinished && hasEarlier) {
    say("No stored secret is under an earlier key, and no new key is made while there is one.");
    say(`When every process was restarted since, delete ${files.previous}, and unset DECKHAND_MASTER_KEY_PREVIOUS.`);
  } else if (config.masterKey === null && !unfinished) {
    await replaceMasterKey(config.home);
    say(`A new key is in ${files.current}, the one before is kept in ${files.previous}.`);
  } else if (!unfinished) {
    say("Everything that can be read is under DECKHAND_MASTER_KEY. See --help on how to replace it.");
  } else {
    say("Some secrets are still under an earlier key. No new key is made before they are under the current one.");
  }

  const { current, previous } = await openMasterKey(config);
  const results = await store.reencrypt(createLocalCipher(current, previous), io.signal);
  for (const { place, done } of results) say(`${place.padEnd(32)}  ${done} encrypted again`);
  const unreadable = results.filter((result) => result.unreadable > 0);
  for (const { place, unreadable: rows } of unreadable) say(`${place.padEnd(32)}  ${rows} can't be read, and stay`);
  say(`The current key is ${keyIdOf(current)}.`);
  return unreadable.length === 0 ? 0 : 1;
}

function keyNames({ current, previous }: MasterKeys): (use: KeyUse) => KeyName {
  const currentId = keyIdOf(current);
  const previousIds = new Set(previous.map(keyIdOf));
  return ({ keyId }) => {
    if (keyId === currentId) return "current";
    return previousIds.has(keyId) ? "previous" : "unknown";
  };
}
