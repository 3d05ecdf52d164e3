/**
 * A value with the type that its reader expects, where TypeScript cannot follow: tables that pair each row's values with its functions, and
 * libraries whose types differ from what they return. The only place of this package that turns the type checker off.
 */
export function unchecked<T>(value: unknown): T {
  return value as T;
}
