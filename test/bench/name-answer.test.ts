import { createSocket, type Socket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nameAnswer } from "../../bench/name-answer.ts";

let server: Socket;
const resolver = new Resolver({ timeout: 2_000, tries: 1 });
beforeAll(async () => {
  server = createSocket("udp4");
  server.on("message", (query, { port, address }) => server.send(nameAnswer(query, "127.0.0.9"), port, address));
  server.bind(0, "127.0.0.1");
  await once(server, "listening");
  resolver.setServers([`127.0.0.1:${server.address().port}`]);
});
afterAll(() => void server.close());

describe("nameAnswer", () => {
  it("gives a resolver the one address, for no time", async () => {
    expect(await resolver.resolve4("upstream.bench.test", { ttl: true })).toEqual([{ address: "127.0.0.9", ttl: 0 }]);
  });

  it("says at once that there is no other kind of address", async () => {
    await expect(resolver.resolve6("upstream.bench.test")).rejects.toMatchObject({ code: "ENODATA" });
  });
});
