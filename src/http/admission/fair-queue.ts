/**
 * A queue in which everybody gets a turn. Callers take turns, and the connections of one caller take turns,
 * so a connection that sends 10,000 requests at once delays the next request of another connection by one
 * request. A connection whose requests have all been served, and which then sends one more, is preferred: so
 * a client that sends little waits little (much as in FQ-CoDel, RFC 8290 §4.2). Items are told apart by
 * identity.
 */

/** A place in the queue. */
export type Place<T> = Readonly<{ item: T; line: Line<T> }>

export class FairQueue<T> {
  readonly #callers = new Rounds<unknown, Caller<T>>()
  #length = 0

  /** How many items wait. */
  get length(): number {
    return this.#length
  }

  /** How many items of this caller wait. */
  lengthOf(caller: unknown): number {
    return this.#callers.get(caller)?.length ?? 0
  }

  /** About how many items are taken before one that this connection adds now. */
  aheadOf(caller: unknown, connection: unknown): number {
    const flow = this.#callers.get(caller)
    if (flow === undefined) return Math.min(this.#length, this.#callers.size)
    return Math.min(this.#length, flow.aheadOf(connection) * this.#callers.size)
  }

  push(caller: unknown, connection: unknown, item: T): Place<T> {
    this.#length += 1
    return this.#callers.getOrAdd(caller, () => new Caller()).push(connection, item)
  }

  /** Takes the item whose turn it is. */
  take(): T | undefined {
    const item = this.#callers.take()
    if (item !== undefined) this.#length -= 1
    return item
  }

  /** Takes an item out of turn. It must still wait. */
  remove({ item, line }: Place<T>): void {
    line.remove(item)
    this.#length -= 1
  }
}

/** What takes turns. `length`: how many items wait in it. */
interface Flow<T> {
  readonly length: number
  take(): T | undefined
}

/** Flows that take turns. The item of each turn comes from the next flow. */
class Rounds<K, F extends Flow<unknown>> {
  readonly #flows = new Map<K, F>()
  /** Flows that have had no turn since they were added. They come first. */
  readonly #fresh: K[] = []
  readonly #others: K[] = []
  /** At 1 or more, the next turn is for the other flows. */
  #creditOfOthers = 0

  /** How many flows take turns. Some may be empty until their turn comes. */
  get size(): number {
    return this.#flows.size
  }

  get freshCount(): number {
    return this.#fresh.length
  }

  get(key: K): F | undefined {
    return this.#flows.get(key)
  }

  getOrAdd(key: K, make: () => F): F {
    const known = this.#flows.get(key)
    if (known !== undefined) return known
    const flow = make()
    this.#flows.set(key, flow)
    this.#fresh.push(key)
    return flow
  }

  take(): ReturnType<F['take']> | undefined {
    for (;;) {
      if (this.#flows.size === 0) return undefined
      const isFresh = this.#isTurnOfFresh()
      const key = (isFresh ? this.#fresh : this.#others).shift() as K
      const item = this.#flows.get(key)!.take()
      // An empty flow that was fresh has its next turn after all others. Otherwise a client could always come
      // first if it let its flow become empty again and again.
      if (item !== undefined || (isFresh && this.#others.length > 0)) this.#others.push(key)
      else this.#flows.delete(key)
      if (item !== undefined) return item as ReturnType<F['take']>
    }
  }

  /**
   * While there are fresh flows, the others still get their fair share of the turns, or half of the turns if
   * that is less: so fresh flows, however many come, stop nobody.
   */
  #isTurnOfFresh(): boolean {
    if (this.#fresh.length === 0 || this.#others.length === 0) return this.#fresh.length > 0
    this.#creditOfOthers += Math.min(0.5, this.#others.length / this.#flows.size)
    if (this.#creditOfOthers < 1) return true
    this.#creditOfOthers -= 1
    return false
  }
}

/** The connections of one caller. */
class Caller<T> implements Flow<T> {
  readonly #lines = new Rounds<unknown, Line<T>>()
  length = 0

  aheadOf(connection: unknown): number {
    const line = this.#lines.get(connection)
    if (line === undefined) return Math.min(2 * this.#lines.freshCount + 1, this.#lines.size)
    return (line.length + 1) * this.#lines.size
  }

  push(connection: unknown, item: T): Place<T> {
    const line = this.#lines.getOrAdd(connection, () => new Line(this))
    line.push(item)
    return { item, line }
  }

  take(): T | undefined {
    return this.#lines.take()
  }
}

/** The items of one connection, oldest first. */
export class Line<T> implements Flow<T> {
  readonly #caller: { length: number }
  readonly #items = new Set<T>()

  constructor(caller: { length: number }) {
    this.#caller = caller
  }

  get length(): number {
    return this.#items.size
  }

  push(item: T): void {
    this.#items.add(item)
    this.#caller.length += 1
  }

  take(): T | undefined {
    for (const item of this.#items) {
      this.remove(item)
      return item
    }
    return undefined
  }

  remove(item: T): void {
    if (this.#items.delete(item)) this.#caller.length -= 1
  }
}
