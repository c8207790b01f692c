import { z } from "zod";

const CHARS_MAX = 256;
const PACKAGES_MAX = 100;

/**
 * What each package manager takes as the name of a package in its own registry, with a version as it writes them. Nothing
 * here can be read as an option, a path, a URL or a line of shell.
 */
const NAMES = {
  // A hyphen at the end would tell apt to remove the package.
  apt: { pattern: /^[a-z0-9][a-z0-9+.-]*[a-z0-9+](:[a-z0-9-]+)?(=[A-Za-z0-9.+:~-]+)?$/, example: "ffmpeg=7:5.1" },
  cargo: { pattern: /^[A-Za-z][A-Za-z0-9_-]*(@[A-Za-z0-9.+-]+)?$/, example: "ripgrep@14.1.0" },
  gem: { pattern: /^[A-Za-z0-9][A-Za-z0-9._-]*(:[A-Za-z0-9.]+)?$/, example: "rails:7.1.0" },
  go: {
    pattern: /^[a-z0-9-]+(\.[a-z0-9-]+)+(\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+(@[A-Za-z0-9][A-Za-z0-9.+_-]*)?$/,
    example: "golang.org/x/tools/cmd/goimports@latest",
  },
  npm: {
    pattern: /^(@[a-z0-9~][a-z0-9._~-]*\/)?[A-Za-z0-9~][A-Za-z0-9._~-]*(@[A-Za-z0-9.^~*+-]+)?$/,
    example: "@scope/name@1.2.3",
  },
  pip: {
    pattern:
      /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?(\[[A-Za-z0-9._-]+(,[A-Za-z0-9._-]+)*\])?((===?|[<>~!]=|[<>])[A-Za-z0-9.*+!_-]+(,(===?|[<>~!]=|[<>])[A-Za-z0-9.*+!_-]+)*)?$/,
    example: "pandas[excel]==2.2.0",
  },
} as const;

export type PackageManager = keyof typeof NAMES;

/** Packages of one manager, to be installed together. */
export const packageNames = (manager: PackageManager) =>
  z
    .array(
      z
        .string()
        .max(CHARS_MAX)
        .regex(NAMES[manager].pattern, {
          message: `must be a package as ${manager} names it, such as \`${NAMES[manager].example}\``,
        }),
    )
    .max(PACKAGES_MAX);
