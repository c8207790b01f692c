import { createEmulator } from "emulate";

export interface EmulatedSlack {
  /** What a WebClient takes as `slackApiUrl` is this and `/api/`; the page to install from is `/oauth/v2/authorize`. */
  url: string;
  clientId: string;
  clientSecret: string;
  /** Opens the page to install from, picks the person, and returns where that leads: the redirect URL with its code. */
  approve(authorizeUrl: string, person: string): Promise<URL>;
  close(): Promise<void>;
}

const CLIENT = { client_id: "111.222", client_secret: "emulated-client-secret" };

/** The emulator `emulate`, for installing the app by OAuth. Delivers no events. */
export async function startEmulatedSlack(given: { redirectUri: string; scopes: string[] }): Promise<EmulatedSlack> {
  const app = { ...CLIENT, app_id: "A0OPS", name: "Ops Agent", bot_name: "ops-agent" };
  const emulator = await createEmulator({
    service: "slack",
    port: 0,
    seed: {
      slack: {
        team: { name: "Acme", domain: "acme" },
        users: [{ name: "alice", email: "alice@acme.test" }],
        channels: [{ name: "eng" }],
        bots: [{ name: "ops-agent" }],
        oauth_apps: [{ ...app, redirect_uris: [given.redirectUri], scopes: given.scopes }],
        signing_secret: "emulated-signing-secret",
      },
    },
  });
  return {
    url: emulator.url,
    clientId: CLIENT.client_id,
    clientSecret: CLIENT.client_secret,
    async approve(authorizeUrl, person) {
      const page = await (await fetch(authorizeUrl)).text();
      const form = [...page.matchAll(/<form[\s\S]*?<\/form>/g)]
        .map(([html]) => html)
        .find((html) => html.includes(person));
      if (!form) throw new Error(`No ${person} to install as on the page:\n${page}`);
      const hidden = [...form.matchAll(/name="([^"]+)" value="([^"]*)"/g)];
      const fields = hidden.map(([, name = "", value = ""]): [string, string] => [name, value]);
      const answer = await fetch(`${emulator.url}/oauth/v2/authorize/callback`, {
        method: "POST",
        redirect: "manual",
        body: new URLSearchParams(fields),
      });
      const location = answer.headers.get("location");
      if (location === null) throw new Error(`The emulator answers the approval with ${answer.status}.`);
      return new URL(location);
    },
    close: () => emulator.close(),
  };
}
