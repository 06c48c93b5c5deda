/**
 * For a realm that several databases share: nothing that a call can reach stays changeable, so that no call leaves
 * anything for the next one in a global or a prototype. Realms of one database stay open: CouchDB lets a design
 * document patch its own prototypes.
 */
export function harden(): void {
  const { ownKeys, getPrototypeOf, getOwnPropertyDescriptor, defineProperty } = Reflect;
  const { freeze } = Object;

  /**
   * An inherited property that is frozen cannot be assigned on the object that inherits it: `error.name = "x"` would
   * fail. As accessors the inherited ones let such an assignment through to the object itself.
   */
  const allowOverride = (prototype: object): void => {
    for (const key of ownKeys(prototype)) {
      const was = getOwnPropertyDescriptor(prototype, key);
      if (!was?.configurable || !("value" in was)) continue;
      const value: unknown = was.value;
      defineProperty(prototype, key, {
        get: () => value,
        set(this: object, own: unknown) {
          if (this === prototype) throw new TypeError(`'${String(key)}' is read-only`);
          defineProperty(this, key, { value: own, writable: true, enumerable: true, configurable: true });
        },
        enumerable: was.enumerable === true,
        configurable: false,
      });
    }
  };

  const seen = new Set<unknown>();
  const freezeAll = (root: unknown): void => {
    const todo: unknown[] = [root];
    while (todo.length > 0) {
      const value = todo.pop();
      if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) continue;
      seen.add(value);
      freeze(value);
      todo.push(getPrototypeOf(value));
      for (const key of ownKeys(value)) {
        const property = getOwnPropertyDescriptor(value, key);
        todo.push(property?.value, property?.get, property?.set);
      }
    }
  };

  const errors = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError];
  // Reachable by syntax alone, not from any global.
  const hidden = [
    async () => undefined,
    function* () {},
    async function* () {},
    [][Symbol.iterator](),
    /./g[Symbol.matchAll](""),
  ];
  for (const prototype of [Object.prototype, Function.prototype, ...errors.map((type) => type.prototype)]) {
    allowOverride(prototype);
  }
  freezeAll(globalThis);
  for (const value of hidden) freezeAll(value);
}
