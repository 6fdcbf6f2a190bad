/**
 * Looks for an order of the operations on one object that explains everything that its clients saw.
 *
 * It is the search of Wing and Gong (1993) with the memory of Lowe (2017). The search takes operations one
 * after the other. It may take an operation if no operation that is still open ended before it began. A place
 * that was reached before is not searched again.
 *
 * Operations with an unknown result would make the search exponential. They are tried last, because most
 * histories are explained without most of them. If a state is reached again after the same known operations,
 * but with more unknown operations taken, that place is skipped: everything that can follow it could also
 * follow with fewer taken.
 *
 * A caller that knows in which order the calls took effect can pass that order as a witness. The witness is
 * not trusted: it is only tried first, and if it is right, the search is short.
 */

/** The object: how a call changes it, and what it answers. */
export type Model<S, C, R> = Readonly<{
  initial: S
  /** Returns the same state object if the call changes nothing. */
  apply: (state: S, call: C) => Readonly<{ state: S; result: R }>
  isSame: (a: R, b: R) => boolean
  /** Whether a call with this answer cannot have changed any state. */
  isReading: (call: C, result: R) => boolean
  /** A text that is equal for states that behave in the same way. */
  keyOf: (state: S) => string
}>

/** A call as its client saw it. Times may have any unit, but no two are equal. */
export type Call<C, R> = Readonly<{
  call: C
  calledAt: number
  /** `undefined`: the result is unknown. The call took effect at any time after `calledAt`, or never. */
  returned: Readonly<{ at: number; result: R }> | undefined
}>

/** A place in the search. `state` is the result of the calls that were taken so far. */
type Frame<S> = {
  readonly state: S
  /** The earliest return of a call that is not taken. A call that started later cannot come next. */
  readonly bound: number
  /** The call to try next. */
  cursor: number
  /** The call that was taken to get from here to the next frame. */
  taken: number
  /** How many of the calls that were taken changed the state. */
  readonly changeCount: number
}

/**
 * After this many places the search gives up. Only a history with very many concurrent operations needs more.
 */
const VISITS_MAX = 2_000_000

/** `undecided`: the search was given up. */
export type Explanation =
  | Readonly<{ kind: 'found'; order: readonly number[] }>
  | Readonly<{ kind: 'none' | 'undecided' }>

/**
 * Looks for an order, and returns it as indexes of `calls`. It leaves out calls with an unknown result that
 * are not needed.
 *
 * @param witness the calls that are believed to have changed the object, in that order
 */
export function linearize<S, C, R>(
  model: Model<S, C, R>,
  calls: readonly Call<C, R>[],
  witness?: readonly number[],
): Explanation {
  if (witness !== undefined) {
    const explanation = new Search(model, calls, witness).run()
    if (explanation.kind === 'found') return explanation
  }
  return new Search(model, calls, undefined).run()
}

class Search<S, C, R> {
  readonly #model: Model<S, C, R>
  /** The calls with a known result, then the others, both in the order of their calls. */
  readonly #calls: readonly { index: number; call: Call<C, R> }[]
  readonly #knownCount: number
  readonly #witness: readonly number[] | undefined
  readonly #isTaken: boolean[]
  /** `#isTaken` as bits: for calls with a known result, where it is part of a key, and for the others. */
  readonly #takenKnown: Uint16Array
  readonly #takenUnknown: Uint16Array
  /**
   * For a set of known calls and a state: the sets of unknown calls with which the state was reached. No set
   * contains another.
   */
  readonly #visited = new Map<string, Uint16Array[]>()
  #visitCount = 0
  #openCount: number
  /** Every known call before this position is taken. */
  #firstOpen = 0

  constructor(model: Model<S, C, R>, calls: readonly Call<C, R>[], witness: readonly number[] | undefined) {
    const byCall = calls.map((call, index) => ({ index, call })).sort(byTimeOfCall)
    const known = byCall.filter(({ call }) => call.returned !== undefined)
    const unknown = byCall.filter(({ call }) => call.returned === undefined)
    this.#model = model
    this.#witness = witness
    this.#calls = [...known, ...unknown]
    this.#knownCount = known.length
    this.#openCount = known.length
    this.#isTaken = Array(calls.length).fill(false)
    this.#takenKnown = new Uint16Array(Math.ceil(known.length / 16))
    this.#takenUnknown = new Uint16Array(Math.ceil(unknown.length / 16))
  }

  run(): Explanation {
    const frames: Frame<S>[] = [this.#frameOf(this.#model.initial, 0)]
    while (this.#openCount > 0) {
      if (this.#visitCount > VISITS_MAX) return { kind: 'undecided' }
      const frame = frames[frames.length - 1]!
      const next = this.#advance(frame)
      if (next !== undefined) {
        frames.push(next)
        continue
      }
      frames.pop()
      const previous = frames[frames.length - 1]
      if (previous === undefined) return { kind: 'none' }
      this.#mark(previous.taken, false)
    }
    const order = frames.slice(0, -1).map(({ taken }) => this.#calls[taken]!.index)
    return { kind: 'found', order }
  }

  /** Takes the next call that may come next, if there is one. */
  #advance(frame: Frame<S>): Frame<S> | undefined {
    while (frame.cursor < this.#calls.length) {
      const position = frame.cursor
      const { index, call } = this.#calls[position]!
      if (call.calledAt > frame.bound) {
        // The calls are sorted, so no later call of this kind may come next either.
        if (position >= this.#knownCount) return undefined
        frame.cursor = this.#knownCount
        continue
      }
      frame.cursor += 1
      if (this.#isTaken[position]) continue
      const { state, result } = this.#model.apply(frame.state, call.call)
      if (call.returned !== undefined && !this.#model.isSame(result, call.returned.result)) continue
      const isChange = state !== frame.state
      // A call without a known result and without an effect can be left out.
      if (call.returned === undefined && !isChange) continue
      if (isChange && this.#witness !== undefined && this.#witness[frame.changeCount] !== index) continue
      this.#mark(position, true)
      if (!this.#visit(state)) {
        this.#mark(position, false)
        continue
      }
      frame.taken = position
      // A call that only reads can always come now: everything that can follow without it can follow after
      // it.
      const isReading = call.returned !== undefined && this.#model.isReading(call.call, result)
      if (isReading) frame.cursor = this.#calls.length
      return this.#frameOf(state, frame.changeCount + (isChange ? 1 : 0))
    }
    return undefined
  }

  /** Records this place. `false`: the search has been here before, with the same or fewer unknown calls. */
  #visit(state: S): boolean {
    // A witness leaves no choice, so nothing is searched twice; and it may pass through a state twice.
    if (this.#witness !== undefined) return true
    this.#visitCount += 1
    const key = String.fromCharCode(...this.#takenKnown) + this.#model.keyOf(state)
    const taken = this.#takenUnknown
    const visits = this.#visited.get(key)
    if (visits === undefined) this.#visited.set(key, [taken.slice()])
    else {
      if (visits.some((visit) => isSubset(visit, taken))) return false
      const others = visits.filter((visit) => !isSubset(taken, visit))
      this.#visited.set(key, [...others, taken.slice()])
    }
    return true
  }

  #frameOf(state: S, changeCount: number): Frame<S> {
    let bound = Number.POSITIVE_INFINITY
    for (let position = this.#firstOpen; position < this.#knownCount; position += 1) {
      const { call } = this.#calls[position]!
      if (call.calledAt > bound) break
      if (!this.#isTaken[position] && call.returned!.at < bound) bound = call.returned!.at
    }
    return { state, bound, cursor: this.#firstOpen, taken: -1, changeCount }
  }

  #mark(position: number, isTaken: boolean): void {
    this.#isTaken[position] = isTaken
    if (position >= this.#knownCount) {
      const bit = position - this.#knownCount
      this.#takenUnknown[bit >> 4]! ^= 1 << (bit & 15)
      return
    }
    this.#takenKnown[position >> 4]! ^= 1 << (position & 15)
    this.#openCount += isTaken ? -1 : 1
    if (!isTaken) this.#firstOpen = Math.min(this.#firstOpen, position)
    else while (this.#firstOpen < this.#knownCount && this.#isTaken[this.#firstOpen]) this.#firstOpen += 1
  }
}

function isSubset(a: Uint16Array, b: Uint16Array): boolean {
  for (let index = 0; index < a.length; index += 1) if ((a[index]! & ~b[index]!) !== 0) return false
  return true
}

function byTimeOfCall(a: { call: { calledAt: number } }, b: { call: { calledAt: number } }): number {
  return a.call.calledAt - b.call.calledAt
}
