/** The moments at which a harness is most unlucky to die, in the order of a turn. */
export type CrashPointName = "before_model" | "after_model" | "before_tool" | "after_tool" | "before_idle";

/** Called at each of those moments. In production it does nothing; survival tests kill the process in it. */
export type CrashPoint = (name: CrashPointName) => Promise<void>;

export const NO_CRASH: CrashPoint = () => Promise.resolve();
