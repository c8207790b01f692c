// Preloaded into every Node program in a sandbox with a way out: the Node here knows nothing of proxy variables, so its
// fetch gets a dispatcher that does. It is loaded when something is first fetched; newer Nodes need none.
"use strict";

const UNDICI = "/usr/local/lib/node_modules/undici";
const DISPATCHER = Symbol.for("undici.globalDispatcher.1");

if (!process.allowedNodeEnvironmentFlags.has("--use-env-proxy") && globalThis[DISPATCHER] === undefined) {
  let agent;
  const load = () => (agent ??= new (require(UNDICI).EnvHttpProxyAgent)());
  const value = {
    dispatch: (options, handler) => load().dispatch(options, handler),
    close: (...args) => load().close(...args),
    destroy: (...args) => load().destroy(...args),
  };
  Object.defineProperty(globalThis, DISPATCHER, { value, writable: true, enumerable: false, configurable: false });
}
