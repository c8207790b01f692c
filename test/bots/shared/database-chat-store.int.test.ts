import { createDatabaseChatStore } from "../../../bots/shared/database-chat-store.ts";
import { createDatabase } from "../../../src/database.ts";
import { chatStoreContract } from "../../contracts/chat-store.ts";
import { createTestDatabase } from "../../support/database.ts";

chatStoreContract("Postgres", async () => {
  const test = await createTestDatabase();
  const database = createDatabase(test.url, () => undefined);
  return {
    store: createDatabaseChatStore(database),
    close: async () => {
      await database.close();
      await test.drop();
    },
  };
});
