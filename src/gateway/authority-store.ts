import type { PrismaClient } from "../generated/client.ts";

export interface StoredAuthority {
  /** PEM. */
  certificate: string;
  /** PEM, encrypted. */
  privateKey: Uint8Array<ArrayBuffer>;
}

/** The one certificate authority of an installation. */
export interface AuthorityStore {
  find(): Promise<StoredAuthority | null>;
  /** No effect when there is one: of two processes that start at once, both use the first one's. */
  insert(authority: StoredAuthority): Promise<void>;
}

export function createAuthorityStore(prisma: PrismaClient): AuthorityStore {
  return {
    find: () =>
      prisma.gatewayAuthority.findUnique({ where: { id: 1 }, select: { certificate: true, privateKey: true } }),

    async insert(authority) {
      await prisma.gatewayAuthority.createMany({ data: [{ id: 1, ...authority }], skipDuplicates: true });
    },
  };
}
