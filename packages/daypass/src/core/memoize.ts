/**
 * Prepares an object once, and anew when it is another one or has another value in a field: whoever stores keys may write a new
 * secret into the object that is there, and the old one must be gone with that. What `prepare` throws is thrown, and nothing is
 * kept of it.
 */
export function prepareOnce<C extends object, P>(prepare: (given: C) => P): (given: C) => P {
  let last: readonly unknown[] = [];
  let prepared: P;
  return (given) => {
    const parts = [given, ...Object.values(Object(given) as object)];
    // One that shows no field, as its class has getters, may have changed unseen.
    if (parts.length < 2 || parts.length !== last.length || parts.some((part, at) => part !== last[at])) {
      prepared = prepare(given);
      last = parts;
    }
    return prepared;
  };
}
