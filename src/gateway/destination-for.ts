import type { Admissions, OpenAdmission } from "./admission.ts";
import { DeniedError, type Destination } from "./destination.ts";
import type { Dial } from "./dial.ts";
import type { HostAndPort } from "./host-pattern.ts";

/** Where one CONNECT leads, for whoever looks into it. */
export function destinationFor(
  gatewayId: string,
  target: HostAndPort,
  { admissions, dial }: { admissions: Admissions; dial: Dial },
): Destination {
  let latest: OpenAdmission | null = null;
  return {
    gatewayId,
    ...target,
    async admit(request) {
      latest = await admissions.admit(gatewayId, target, request);
      return latest;
    },
    refuse: (request, rule, message) => admissions.refuse(gatewayId, target, request, rule, message),
    async connect() {
      try {
        return await dial(target);
      } catch (error) {
        if (error instanceof DeniedError) await latest?.refuse(error);
        throw error;
      }
    },
  };
}
