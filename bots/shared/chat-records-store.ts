import type { Database } from "../../src/database.ts";
import { createApprovalStore } from "./approval-store.ts";
import { createAuditStore } from "./audit-store.ts";
import type { ChatRecords } from "./chat-records.ts";
import { createInboxStore } from "./inbox-store.ts";
import { createPolicyStore } from "./policy-store.ts";
import { createRatingStore } from "./rating-store.ts";
import { createSpendStore } from "./spend-store.ts";
import { createThreadDirectoryStore } from "./thread-directory-store.ts";

/** What the bots remember beyond `ChatStore`, in Postgres. Time is the database's. */
export function createDatabaseChatRecords({ prisma }: Pick<Database, "prisma">): ChatRecords {
  return {
    inbox: createInboxStore(prisma),
    policies: createPolicyStore(prisma),
    approvals: createApprovalStore(prisma),
    directory: createThreadDirectoryStore(prisma),
    ratings: createRatingStore(prisma),
    spend: createSpendStore(prisma),
    audit: createAuditStore(prisma),
  };
}
