import { expect, it } from "vitest";
import { createResolve } from "../../src/gateway/resolve.ts";

it("refuses the host's own public addresses, however they are spelled, where only the operator knows them", async () => {
  const hostAddresses = ["93.184.216.34", "2606:2800:220:1::1"];
  const resolve = createResolve({ servers: [], allowedNetworks: [], hostAddresses });
  for (const own of ["93.184.216.34", "0x5db8d822", "[::ffff:93.184.216.34]", "[2606:2800:220:1:0::1]"]) {
    await expect(resolve(own)).rejects.toMatchObject({ rule: "private_address" });
  }
  expect(await resolve("93.184.216.35")).toEqual(["93.184.216.35"]);
});
