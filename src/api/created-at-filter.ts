export interface CreatedAtFilter {
  gt?: string;
  gte?: string;
  lt?: string;
  lte?: string;
}

interface CreatedAtQuery {
  "created_at[gt]"?: string | undefined;
  "created_at[gte]"?: string | undefined;
  "created_at[lt]"?: string | undefined;
  "created_at[lte]"?: string | undefined;
}

/** The literal parameters `created_at[gt]` and so on, without those that were not given. Pure. */
export function createdAtFilter(query: CreatedAtQuery): CreatedAtFilter {
  const { "created_at[gt]": gt, "created_at[gte]": gte, "created_at[lt]": lt, "created_at[lte]": lte } = query;
  return { ...(gt && { gt }), ...(gte && { gte }), ...(lt && { lt }), ...(lte && { lte }) };
}
