/**
 * Typed signed routes of an app: {@link signedRoute}. Each framework has a subpath, `daypass/routes/express` and so on, whose `signedRoute`
 * adds the adapter.
 *
 * @module
 */
export type { RouteParamName, RouteParams, RouteValues } from "./pattern.ts";
export {
  type DetachedUse,
  type RouteGrant,
  type RouteItem,
  type RouteSigner,
  type RouteSignOptions,
  type SignedRoute,
  type SignedRouteOptions,
  signedRoute,
} from "./route.ts";
