import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { constants, createZstdCompress } from "node:zlib";
import { expect, it } from "vitest";
import { decodeBody } from "../../src/gateway/decode-body.ts";

/** As a server that streams: nothing tells how much there is but the window. */
const zstd = (windowLog: number) =>
  Readable.from([Buffer.from("so little "), Buffer.from("of it")]).pipe(
    createZstdCompress({ params: { [constants.ZSTD_c_windowLog]: windowLog } }),
  );
const decoded = async (windowLog: number) =>
  (await buffer(Readable.from(decodeBody(zstd(windowLog), "zstd")))).toString();

it("an answer can't have more than 8 MiB kept for it to be decoded", async () => {
  expect(await decoded(23)).toBe("so little of it");
  await expect(decoded(24)).rejects.toMatchObject({ code: "ZSTD_error_frameParameter_windowTooLarge" });
  await expect(decoded(27)).rejects.toMatchObject({ code: "ZSTD_error_frameParameter_windowTooLarge" });
});
