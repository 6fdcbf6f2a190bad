/**
 * Linearizable registers in which everything takes time. A call is first applied and then answered, each at a
 * moment that the world chooses. A write whose caller does not hear of it may *float*: it may still be chosen
 * at any later time, as long as its register has not changed, and no round has settled the register.
 */
import type { Registers } from '../../engines/cohort/group-members/member-protocol.ts'
import type { Decision, Outcome } from '../../register/operation.ts'
import type { Value } from '../../register/state.ts'
import type { Chance } from '../chance.ts'

type Register = { value: Value; generation: number }
type Float = Readonly<{ key: string; generation: number; value: Value }>

/** A call that waits to be applied, or, if it is applied, to be answered. */
type Call = {
  readonly key: string
  readonly kind: 'read' | 'write' | 'settle'
  readonly owner: number
  readonly decide: (value: Value) => Decision<unknown>
  readonly answer: (outcome: Outcome<unknown>) => void
  outcome: Outcome<unknown> | undefined
}

/** How often an answer is lost, so that its caller learns nothing. */
const LOSS = 0.05

export class ModelRegisters {
  readonly #chance: Chance
  readonly #registers = new Map<string, Register>()
  readonly #onChange: () => void
  /** The processes that are stopped: none of their calls goes on. */
  readonly stopped = new Set<number>()
  #calls: Call[] = []
  #floats: Float[] = []

  /** @param onChange called whenever a register has got another value */
  constructor(chance: Chance, onChange: () => void) {
    this.#chance = chance
    this.#onChange = onChange
  }

  valueOf(key: string): Value {
    return this.#registers.get(key)?.value
  }

  get keys(): readonly string[] {
    return [...this.#registers.keys()].filter((key) => this.valueOf(key) !== undefined)
  }

  /** The registers, as a process uses them. */
  for(owner: number): Registers {
    return {
      read: (key, resultOf) =>
        this.#call(owner, key, 'read', (value) => ({ kind: 'keep', result: resultOf(value) })),
      submit: (key, decide) => this.#call(owner, key, 'write', decide),
      settle: (key) => this.#call(owner, key, 'settle', () => ({ kind: 'keep', result: undefined })),
    }
  }

  /** Applies or answers one call, or lets one floating write be chosen. `true`: a caller goes on. */
  step(): boolean {
    const chance = this.#chance
    if (this.#floats.length > 0 && chance.happens(0.01)) {
      this.#choose(chance.of(this.#floats))
      return false
    }
    const running = this.#calls.filter(({ owner }) => !this.stopped.has(owner))
    if (running.length === 0) return false
    const call = chance.of(running)
    if (call.outcome === undefined) {
      this.#apply(call)
      return false
    }
    this.#calls = this.#calls.filter((other) => other !== call)
    call.answer(call.outcome)
    return true
  }

  /** The process of these calls dies. */
  kill(owner: number): void {
    for (const call of this.#calls.filter((each) => each.owner === owner)) {
      if (call.outcome === undefined && call.kind === 'write' && this.#chance.happens(0.5)) this.#float(call)
    }
    this.#calls = this.#calls.filter((each) => each.owner !== owner)
  }

  /** What still floats is chosen now. */
  end(): void {
    while (this.#floats.length > 0) this.#choose(this.#floats[0]!)
  }

  #call<R>(
    owner: number,
    key: string,
    kind: Call['kind'],
    decide: (value: Value) => Decision<R>,
  ): Promise<Outcome<R>> {
    return new Promise((resolve) => {
      const answer = resolve as (outcome: Outcome<unknown>) => void
      this.#calls.push({ owner, key, kind, decide, answer, outcome: undefined })
    })
  }

  #apply(call: Call): void {
    const isLost = this.#chance.happens(LOSS)
    if (isLost && call.kind !== 'write') {
      call.outcome = { kind: 'not_applied' }
      return
    }
    if (isLost && this.#chance.happens(0.5)) {
      call.outcome = this.#float(call) ? { kind: 'unknown' } : { kind: 'not_applied' }
      return
    }
    // Any round may find a floating write and complete it; a read does so only sometimes.
    if (call.kind !== 'read' || this.#chance.happens(0.3)) this.#meetFloat(call.key)
    const decision = call.decide(this.valueOf(call.key))
    if (decision.kind === 'unreadable') throw new Error('a model register holds what it stores')
    if (decision.kind === 'propose') this.#set(call.key, decision.value)
    if (call.kind === 'settle') this.#floats = this.#floats.filter(({ key }) => key !== call.key)
    const isUnknown = isLost && decision.kind === 'propose'
    call.outcome = isUnknown ? { kind: 'unknown' } : { kind: 'decided', result: decision.result }
  }

  /** @returns whether there is something to write */
  #float({ key, decide }: Call): boolean {
    const decision = decide(this.valueOf(key))
    if (decision.kind !== 'propose') return false
    this.#floats.push({ key, generation: this.#generationOf(key), value: decision.value })
    return true
  }

  #meetFloat(key: string): void {
    const met = this.#floats.filter((float) => float.key === key)
    if (met.length > 0 && this.#chance.happens(0.5)) this.#choose(this.#chance.of(met))
  }

  #choose(float: Float): void {
    this.#floats = this.#floats.filter((other) => other !== float)
    if (float.generation === this.#generationOf(float.key)) this.#set(float.key, float.value)
  }

  #generationOf(key: string): number {
    return this.#registers.get(key)?.generation ?? 0
  }

  #set(key: string, value: Value): void {
    this.#registers.set(key, { value, generation: this.#generationOf(key) + 1 })
    this.#floats = this.#floats.filter(
      (float) => float.key !== key || float.generation >= this.#generationOf(key),
    )
    this.#onChange()
  }
}
