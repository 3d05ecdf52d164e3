/** The methods of a state, each a row: what wraps a state, or serves it to other processes, reads the rows. */
import type { State, StateProcess } from "./state.ts";

/** What is the same in every engine about one method. */
export interface Method {
  /** Whether a call whose answer was lost may be sent again: a repetition has the result of the first. */
  readonly repeatable: boolean;
  /** Who has the method. `replicas`: engines that several gateways share. */
  readonly of: "engines" | "replicas" | "sealer";
}

/** The name of a method. */
export type MethodName = Exclude<keyof State, keyof StateProcess>;

const again: Method = { repeatable: true, of: "engines" };
const once: Method = { repeatable: false, of: "engines" };

/** Every method. */
export const methods: Readonly<Record<MethodName, Method>> = {
  secret: again,
  beginRun: once,
  sweep: once,
  backup: once,

  createLink: once,
  findLink: again,
  getLink: again,
  listLinks: again,
  updateLink: once,
  revokeLink: again,
  giveBack: once,
  recordFailure: once,
  forgetFailure: once,

  deliver: again,
  findDelivery: again,
  listDeliveries: again,
  claimUse: once,
  addCounts: again,

  revoke: again,
  lift: again,
  listRevocations: again,
  revocationsAfter: again,

  addToken: once,
  findToken: again,
  listTokens: again,
  revokeToken: again,

  listKeys: { repeatable: true, of: "replicas" },
  keysRevision: { repeatable: true, of: "replicas" },
  putKeys: { repeatable: false, of: "replicas" },

  record: once,
  auditWriters: again,
  auditRecords: again,
  auditHeads: again,
  addHead: once,
  cutAudit: once,
  auditKeys: { repeatable: true, of: "replicas" },
  announceAuditKey: { repeatable: false, of: "replicas" },
  acceptRestore: { repeatable: false, of: "sealer" },

  addWebhook: once,
  removeWebhook: again,
  listWebhooks: again,
  takeNotifications: once,
  settleNotification: again,
  listDeadLetters: again,
  resendDeadLetters: again,
  outboxDepth: again,
};

/** Whether a state has a method of this name. */
export function isMethod(name: string): name is MethodName {
  return Object.hasOwn(methods, name);
}

/** An object with a member for each method. */
export function forEachMethod<T>(memberOf: (name: MethodName) => T): Readonly<Record<MethodName, T>> {
  const members = Object.keys(methods).map((name) => [name, memberOf(name as MethodName)]);
  return Object.fromEntries(members) as Record<MethodName, T>;
}
