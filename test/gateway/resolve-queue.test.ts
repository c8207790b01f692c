import { expect, it, vi } from "vitest";
import { createResolve } from "../../src/gateway/resolve.ts";

/** A DNS that knows nothing, and a system that never answers. */
vi.mock("node:dns/promises", () => ({
  Resolver: class {
    resolve4 = () => Promise.reject(new Error("unknown"));
    resolve6 = () => Promise.reject(new Error("unknown"));
  },
  lookup: () => new Promise(() => {}),
}));

it("names that only the system may know do not queue without end: 66 wait, and more are unknown", async () => {
  const resolve = createResolve({ servers: [], allowedNetworks: [] });
  const ending = new AbortController();
  const asked = Array.from({ length: 100 }, (_, index) => resolve(`name-${index}.example.com`, ending.signal));
  const settled = Promise.allSettled(asked);
  await expect(asked.at(-1)).rejects.toThrow("not known to the DNS");
  ending.abort(new Error("enough"));
  const reasons = (await settled).map((one) => (one.status === "rejected" ? String(one.reason) : "resolved"));
  expect(reasons.filter((reason) => reason === "Error: enough")).toHaveLength(66);
});
