/**
 * Is there an order of the operations on one object that explains everything its clients saw?
 *
 * The search of Wing and Gong (1993) with Lowe's memory (2017): operations are taken one after the other,
 * each of them one that no other still open operation wholly precedes; what was reached before is not
 * searched again.
 *
 * Operations whose result nobody knows would make the search exponential. They are tried last, because most
 * histories are explained without most of them; and to have reached the same state after the same other
 * operations with more of them taken is of no use, because whatever can follow could follow with fewer taken.
 *
 * Whoever knows in which order the calls took effect passes it as a witness. It is not trusted: only tried
 * first, and then the search is short.
 */

/** What the object is: how a call changes it and what it answers. */
export type Model<S, C, R> = Readonly<{
  initial: S
  /** Returns the very state it was given when the call changes nothing. */
  apply: (state: S, call: C) => Readonly<{ state: S; result: R }>
  isSame: (a: R, b: R) => boolean
  /** Whether a call that was answered so cannot have changed the state, whatever that was. */
  isReading: (call: C, result: R) => boolean
  /** The same text for states that behave alike. */
  keyOf: (state: S) => string
}>

/** A call as its client saw it. Times are numbers of any unit, each used once. */
export type Call<C, R> = Readonly<{
  call: C
  calledAt: number
  /** `undefined`: nobody knows whether it took effect: at any time after `calledAt`, or never. */
  returned: Readonly<{ at: number; result: R }> | undefined
}>

/** A place in the search: what has been taken so far made `state`. */
type Frame<S> = {
  readonly state: S
  /** The earliest return of an operation that is not taken: what starts later cannot come next. */
  readonly bound: number
  /** Which call to try next. */
  cursor: number
  /** Which one was taken to get from here to the next frame. */
  taken: number
  /** How many of the calls so far changed the state. */
  readonly changeCount: number
}

/** Beyond so many places the search gives up: an unusual history of very many operations at the same time. */
const VISITS_MAX = 2_000_000

/** `undecided`: the search was given up. */
export type Explanation =
  | Readonly<{ kind: 'found'; order: readonly number[] }>
  | Readonly<{ kind: 'none' | 'undecided' }>

/**
 * Looks for an order, given as indexes of `calls`. Calls with an unknown result that it does not need are
 * left out.
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
  /** Those with a known result in the order of their calls, then the others, in that order too. */
  readonly #calls: readonly { index: number; call: Call<C, R> }[]
  readonly #knownCount: number
  readonly #witness: readonly number[] | undefined
  readonly #isTaken: boolean[]
  /** The same as bits: of the known ones, to be a key, and of the others. */
  readonly #takenKnown: Uint16Array
  readonly #takenUnknown: Uint16Array
  /**
   * The sets of unknown calls with which a state was reached after a set of known ones; none contains
   * another.
   */
  readonly #visited = new Map<string, Uint16Array[]>()
  #visitCount = 0
  #openCount: number
  /** Every known call before it is taken. */
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

  /** Takes the next call that may follow, if there is one. */
  #advance(frame: Frame<S>): Frame<S> | undefined {
    while (frame.cursor < this.#calls.length) {
      const position = frame.cursor
      const { index, call } = this.#calls[position]!
      if (call.calledAt > frame.bound) {
        // Calls are in order: nothing else of this kind may come next.
        if (position >= this.#knownCount) return undefined
        frame.cursor = this.#knownCount
        continue
      }
      frame.cursor += 1
      if (this.#isTaken[position]) continue
      const { state, result } = this.#model.apply(frame.state, call.call)
      if (call.returned !== undefined && !this.#model.isSame(result, call.returned.result)) continue
      const isChange = state !== frame.state
      // Without an effect that anybody sees, it need not have happened.
      if (call.returned === undefined && !isChange) continue
      if (isChange && this.#witness !== undefined && this.#witness[frame.changeCount] !== index) continue
      this.#mark(position, true)
      if (!this.#visit(state)) {
        this.#mark(position, false)
        continue
      }
      frame.taken = position
      // What only reads may as well come now: all that can follow without it can follow after it.
      const isReading = call.returned !== undefined && this.#model.isReading(call.call, result)
      if (isReading) frame.cursor = this.#calls.length
      return this.#frameOf(state, frame.changeCount + (isChange ? 1 : 0))
    }
    return undefined
  }

  /** Remembers where the search is. `false`: it has been here before, or somewhere better. */
  #visit(state: S): boolean {
    // A witness leaves nothing to choose, and may well pass through a state again.
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
