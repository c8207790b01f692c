import { invalid } from "../errors.ts";
import {
  type CloudConfigParams,
  DeckhandConfig,
  type DeckhandConfigParams,
  type EnvironmentConfig,
  type Networking,
  type NetworkingParams,
  type Packages,
  type PackagesParams,
} from "../schemas/environment.ts";

/** In the order in which they are installed. */
export const PACKAGE_MANAGERS = ["apt", "cargo", "gem", "go", "npm", "pip"] as const;

export const DEFAULT_CONFIG: EnvironmentConfig = {
  type: "cloud",
  networking: { type: "unrestricted" },
  packages: { type: "packages", apt: [], cargo: [], gem: [], go: [], npm: [], pip: [] },
};

/**
 * The config after a change; what is null or left out stays as it was, except in `deckhand`, where null removes. Pure.
 * @throws AppError `invalid_request` when packages could not be fetched
 */
export function patchConfig(
  current: EnvironmentConfig,
  { networking, packages, deckhand }: Omit<CloudConfigParams, "type">,
): EnvironmentConfig {
  const machine = patchMachine(current.deckhand, deckhand);
  const patched: EnvironmentConfig = {
    type: "cloud",
    networking: networking ? patchNetworking(current.networking, networking) : current.networking,
    packages: packages ? patchPackages(current.packages, packages) : current.packages,
    ...(machine && { deckhand: machine }),
  };
  if (hasPackages(patched) && patched.networking.type === "limited" && !patched.networking.allow_package_managers) {
    throw invalid(
      "config.networking.allow_package_managers: Must be `true` for the packages of `config.packages` to be fetched",
    );
  }
  return patched;
}

export function hasPackages({ packages }: Pick<EnvironmentConfig, "packages">): boolean {
  return PACKAGE_MANAGERS.some((manager) => packages[manager].length > 0);
}

function patchNetworking(current: Networking, given: NetworkingParams): Networking {
  if (given.type === "unrestricted") return { type: "unrestricted" };
  const before = current.type === "limited" ? current : null;
  return {
    type: "limited",
    allowed_hosts: given.allowed_hosts ?? before?.allowed_hosts ?? [],
    allow_mcp_servers: given.allow_mcp_servers ?? before?.allow_mcp_servers ?? false,
    allow_package_managers: given.allow_package_managers ?? before?.allow_package_managers ?? false,
  };
}

function patchPackages(current: Packages, given: PackagesParams): Packages {
  const lists = PACKAGE_MANAGERS.map((manager) => [manager, given[manager] ?? current[manager]] as const);
  return { ...current, ...Object.fromEntries(lists) };
}

/** Undefined when nothing is left of it: an environment that asks for nothing of ours looks like the hosted API's. */
function patchMachine(
  current: DeckhandConfig | undefined,
  given: DeckhandConfigParams | null | undefined,
): DeckhandConfig | undefined {
  if (given === undefined) return current;
  if (given === null) return undefined;
  const fields = Object.entries({ ...current, ...given }).filter(([, value]) => value !== null && value !== undefined);
  return fields.length > 0 ? DeckhandConfig.parse(Object.fromEntries(fields)) : undefined;
}
