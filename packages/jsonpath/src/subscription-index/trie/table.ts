/**
 * A map that is mostly of one entry. Everything in the trie knows what holds it, so that what becomes
 * empty is taken away, up to the root.
 */

export interface Holder {
  /** What is held under this key is empty. */
  drop(key: unknown): void
}

export class Table<K, V> implements Holder {
  readonly #holder: Holder
  readonly #heldAs: unknown
  #key: K | undefined
  #value: V | undefined
  #map: Map<K, V> | undefined

  constructor(holder: Holder, heldAs: unknown) {
    this.#holder = holder
    this.#heldAs = heldAs
  }

  get size(): number {
    if (this.#map) return this.#map.size
    return this.#value === undefined ? 0 : 1
  }

  get(key: K): V | undefined {
    if (this.#map) return this.#map.get(key)
    return this.#key === key ? this.#value : undefined
  }

  set(key: K, value: V): void {
    if (this.#map) {
      this.#map.set(key, value)
    } else if (this.#value === undefined || this.#key === key) {
      this.#key = key
      this.#value = value
    } else {
      this.#map = new Map([[this.#key as K, this.#value]])
      this.#map.set(key, value)
      this.#key = undefined
      this.#value = undefined
    }
  }

  drop(key: unknown): void {
    if (this.#map) this.#map.delete(key as K)
    else if (this.#key === key) this.#value = undefined
    if (this.size === 0) this.#holder.drop(this.#heldAs)
  }

  entries(): Iterable<readonly [K, V]> {
    if (this.#map) return this.#map
    return this.#value === undefined ? [] : [[this.#key as K, this.#value]]
  }
}
