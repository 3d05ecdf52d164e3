/**
 * Notifications: signed webhooks out of the outbox of a state.
 *
 * @module
 */
export { type Dispatcher, type DispatcherOptions, dispatcher } from "./dispatch.ts";
export { webhookSecret } from "./send.ts";
export { type Address, type TargetGuard, type TargetOptions, TargetRefused, targetGuard } from "./target.ts";
