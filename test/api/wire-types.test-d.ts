/** Checked by the compiler, never run: whatever we answer is what the official SDK says it gets. */
import type Anthropic from "@anthropic-ai/sdk";
import type { Agent, AgentUpdateParams } from "../../src/schemas/agent.ts";
import type { CredentialValidation } from "../../src/schemas/credential-validation.ts";
import type { Environment } from "../../src/schemas/environment.ts";
import type { EventParams, EventPreview, QueuedEvent, SessionEvent } from "../../src/schemas/event.ts";
import type { FileMetadata } from "../../src/schemas/file.ts";
import type { Model } from "../../src/schemas/model.ts";
import type { FileResource, SessionResource } from "../../src/schemas/resource.ts";
import type { Session } from "../../src/schemas/session.ts";
import type { SessionThread } from "../../src/schemas/thread.ts";
import type { Credential, DeletedCredential } from "../../src/schemas/credential.ts";
import type { CredentialCreateParams, CredentialUpdateParams } from "../../src/schemas/credential-params.ts";
import type { DeletedVault, Vault, VaultCreateParams, VaultUpdateParams } from "../../src/schemas/vault.ts";

/** Our optional fields admit `undefined`, which JSON leaves out. */
type Wire<Value> = Value extends readonly (infer Item)[]
  ? Wire<Item>[]
  : Value extends object
    ? { [Key in keyof Value]: Wire<Exclude<Value[Key], undefined>> }
    : Value;

type Is<Ours extends Theirs, Theirs> = Ours;

/** Without our own extensions, which the SDK passes on as they are. */
type OfTheApi = Exclude<SessionEvent, { type: `deckhand.${string}` }>;

export type Answers = [
  Is<Wire<Agent>, Anthropic.Beta.BetaManagedAgentsAgent>,
  Is<Wire<Environment>, Anthropic.Beta.BetaEnvironment>,
  Is<Wire<Session>, Anthropic.Beta.BetaManagedAgentsSession>,
  Is<Wire<SessionThread>, Anthropic.Beta.Sessions.BetaManagedAgentsSessionThread>,
  Is<Wire<OfTheApi>, Anthropic.Beta.Sessions.BetaManagedAgentsStreamSessionThreadEvents>,
  Is<Wire<FileResource>, Anthropic.Beta.Sessions.BetaManagedAgentsFileResource>,
  Is<Wire<SessionResource>, Anthropic.Beta.Sessions.BetaManagedAgentsSessionResource>,
  Is<Wire<OfTheApi>, Anthropic.Beta.Sessions.BetaManagedAgentsStreamSessionEvents>,
  Is<Wire<EventPreview>, Anthropic.Beta.Sessions.BetaManagedAgentsStreamSessionEvents>,
  Is<Wire<QueuedEvent>, NonNullable<Anthropic.Beta.Sessions.BetaManagedAgentsSendSessionEvents["data"]>[number]>,
  Is<Wire<QueuedEvent>, Anthropic.Beta.Sessions.BetaManagedAgentsSessionEvent>,
  Is<Wire<FileMetadata>, Anthropic.Beta.BetaFileMetadata>,
  Is<Wire<FileMetadata>, Anthropic.FileMetadata>,
  Is<Wire<CredentialValidation>, Anthropic.Beta.Vaults.BetaManagedAgentsCredentialValidation>,
  Is<Wire<Model>, Anthropic.Beta.BetaModelInfo>,
  Is<Wire<Model>, Anthropic.ModelInfo>,
  Is<Wire<Vault>, Anthropic.Beta.BetaManagedAgentsVault>,
  Is<Wire<DeletedVault>, Anthropic.Beta.BetaManagedAgentsDeletedVault>,
  Is<Wire<Credential>, Anthropic.Beta.Vaults.BetaManagedAgentsCredential>,
  Is<Wire<DeletedCredential>, Anthropic.Beta.Vaults.BetaManagedAgentsDeletedCredential>,
];

/** And whatever we take is something that the SDK can send. */
export type Requests = [
  Is<Wire<EventParams>, Anthropic.Beta.Sessions.BetaManagedAgentsEventParams>,
  Is<Wire<AgentUpdateParams>, Anthropic.Beta.AgentUpdateParams>,
];

/** And what the SDK can send is something that we take. */
export type Taken = [
  Is<Anthropic.Beta.VaultCreateParams, VaultCreateParams>,
  Is<Anthropic.Beta.VaultUpdateParams, VaultUpdateParams>,
  Is<Anthropic.Beta.Vaults.CredentialCreateParams, CredentialCreateParams>,
  Is<Anthropic.Beta.Vaults.CredentialUpdateParams, CredentialUpdateParams>,
];
