/** What happens later, unless the fake is closed first. */
export function createTimers(changed: () => void) {
  const running = new Set<NodeJS.Timeout>();
  return {
    later(delayMs: number, effect: () => void): void {
      const timer = setTimeout(() => {
        running.delete(timer);
        effect();
        changed();
      }, delayMs);
      running.add(timer);
    },
    clear() {
      for (const timer of running) clearTimeout(timer);
    },
  };
}
