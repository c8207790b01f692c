import { z } from "zod";
import { Metadata, MetadataPatch, PageQuery, QueryBoolean, Timestamp } from "./primitives.ts";

export const DisplayName = z.string().min(1).max(255);

export const VaultCreateParams = z
  .strictObject({ display_name: DisplayName, metadata: Metadata.optional() })
  .meta({ id: "VaultCreateParams" });
export type VaultCreateParams = z.infer<typeof VaultCreateParams>;

export const VaultUpdateParams = z
  .strictObject({ display_name: DisplayName.nullish(), metadata: MetadataPatch.nullish() })
  .meta({ id: "VaultUpdateParams" });
export type VaultUpdateParams = z.infer<typeof VaultUpdateParams>;

export const Vault = z
  .object({
    id: z.string(),
    type: z.literal("vault"),
    display_name: z.string(),
    metadata: Metadata,
    created_at: Timestamp,
    updated_at: Timestamp,
    archived_at: Timestamp.nullable(),
  })
  .meta({ id: "Vault" });
export type Vault = z.infer<typeof Vault>;

export const DeletedVault = z.object({ id: z.string(), type: z.literal("vault_deleted") }).meta({ id: "DeletedVault" });
export type DeletedVault = z.infer<typeof DeletedVault>;

export const VaultListQuery = PageQuery.extend({ include_archived: QueryBoolean.optional() });
export type VaultListQuery = z.infer<typeof VaultListQuery>;
