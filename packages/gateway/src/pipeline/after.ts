/** Continues with a value at once, or when it arrives: a promise for each step takes a twentieth of a small response. */
export function after<T, R>(value: T | Promise<T>, step: (value: T) => R | Promise<R>): R | Promise<R> {
  return value instanceof Promise ? value.then(step) : step(value);
}
