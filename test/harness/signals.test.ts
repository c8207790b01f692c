import { describe, expect, it } from "vitest";
import { TurnSignals, unlessAborted } from "../../src/harness/signals.ts";

describe("the signals of a turn", () => {
  it("tell an interrupt, which stops the sandbox's work, from letting go, which does not", () => {
    const signals = new TurnSignals();
    signals.cut("stopping");
    expect([signals.interrupt.aborted, signals.letGo.aborted, signals.any.aborted]).toEqual([false, true, true]);
    const interrupted = new TurnSignals();
    interrupted.cut("interrupt");
    expect([interrupted.interrupt.aborted, interrupted.letGo.aborted, interrupted.any.aborted]).toEqual([
      true,
      false,
      true,
    ]);
  });

  it.each([
    [["interrupt", "stopping"], "stopping"],
    [["stopping", "interrupt"], "stopping"],
    [["stopping", "lease_lost"], "lease_lost"],
    [["lease_lost", "stopping", "interrupt"], "lease_lost"],
  ] as const)("%j count as %s", (cuts, reason) => {
    const signals = new TurnSignals();
    for (const cut of cuts) signals.cut(cut);
    expect(signals.reason).toBe(reason);
  });

  it("are fresh after an interrupt, but a harness that lets go stays so", () => {
    const signals = new TurnSignals();
    expect(signals.afterInterrupt()).toBe(signals);
    signals.cut("interrupt");
    expect(signals.afterInterrupt().any.aborted).toBe(false);
    signals.cut("lease_lost");
    const after = signals.afterInterrupt();
    expect([after.interrupt.aborted, after.letGo.aborted, after.reason]).toEqual([false, true, "lease_lost"]);
  });
});

describe("a wait that can be aborted", () => {
  it("rejects with the signal's reason, and nobody hears of what it waited for", async () => {
    const unheard: unknown[] = [];
    const note = (reason: unknown) => unheard.push(reason);
    process.on("unhandledRejection", note);
    const [first, second] = [Promise.withResolvers<never>(), Promise.withResolvers<never>()];
    await expect(unlessAborted(first.promise, AbortSignal.abort("at once"))).rejects.toBe("at once");
    const late = new AbortController();
    const waiting = unlessAborted(second.promise, late.signal);
    late.abort("later");
    await expect(waiting).rejects.toBe("later");
    for (const work of [first, second]) work.reject(new Error("the work failed afterwards"));
    // Unhandled rejections are told of after the microtasks, before the next timer.
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", note);
    expect(unheard).toEqual([]);
  });

  it("passes on the value and the failure of what it waits for", async () => {
    const { signal } = new AbortController();
    await expect(unlessAborted(Promise.resolve(7), signal)).resolves.toBe(7);
    await expect(unlessAborted(Promise.reject(new Error("no")), signal)).rejects.toThrow("no");
  });
});
