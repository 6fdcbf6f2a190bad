/**
 * What seeds may draw. The frequency of each kind of fault, and the order in which messages tend to arrive,
 * are drawn again for each seed ("swarm testing"): a rare bug needs many faults of one kind and few of the
 * others.
 */
import type { Chance } from '../chance.ts'
import type { Action, Change } from './action.ts'
import type { Command } from './command.ts'

/** What a seed may draw. Ranges are inclusive. */
export type Profile = Readonly<{
  nodeCounts: readonly number[]
  connectorCount: readonly [number, number]
  operationCount: readonly [number, number]
  /** Steps of the first phase, for each operation. */
  stepsPerOperation: readonly [number, number]
  removerCount: readonly [number, number]
  /** The weight of a remover's looks, among the weights of all steps. */
  looks: readonly number[]
  /** The largest number of changes of the membership. */
  changesMax: readonly number[]
  /** The most frequent command. */
  emphases: readonly Emphasis[]
  /** What is drawn for worlds whose membership changes. */
  changes: Readonly<{
    kinds: readonly Change['kind'][]
    /** How often the messages of a change overtake all others, from 0 to 1. */
    haste: readonly number[]
    /** Whether clients start only when a change has begun. */
    isEmptyAtFirst: readonly boolean[]
    /**
     * What is out of date: a node that receives few of the clients' writes, or a connector that receives few
     * messages of any kind.
     */
    laggards: readonly Laggards[]
    /** Steps of the first phase, for each change. */
    steps: number
  }>
  /** The weight of damage to a record, among the weights of all steps. */
  damages: readonly number[]
  /** The weight of inventions of a membership by a node, in worlds whose membership changes. */
  inventions: readonly number[]
  /** Weights that are given instead of drawn. */
  weights?: Partial<Weights>
}>

type Emphasis = 'create' | 'update' | 'delete' | 'read'

type Laggards = Readonly<{ node: boolean; connector: boolean }>

export const NO_LAGGARD: Laggards = { node: false, connector: false }

export const PROFILE: Profile = {
  nodeCounts: [3, 3, 4, 5],
  connectorCount: [2, 4],
  operationCount: [6, 14],
  stepsPerOperation: [5, 25],
  removerCount: [1, 2],
  looks: [0, 0, 0.1, 0.5],
  changesMax: [0, 1, 4],
  emphases: ['create', 'update', 'delete', 'read'],
  damages: [0, 0, 0.02, 0.1],
  inventions: [0, 0, 0.05],
  changes: {
    kinds: ['add', 'replace', 'replace', 'remove'],
    haste: [0, 0.3, 0.8],
    isEmptyAtFirst: [false, false, true],
    laggards: [NO_LAGGARD, { node: true, connector: false }, { node: false, connector: true }],
    steps: 100,
  },
}

/** Disks that damage nothing, and nodes that invent nothing. */
export const WHOLE: Profile = { ...PROFILE, damages: [0], inventions: [0] }

/** Disks that damage nothing, and a membership that never changes. */
export const STABLE: Profile = { ...WHOLE, changesMax: [0] }

/** The weight of each kind of step: its frequency is its weight divided by the sum of all weights. */
export type Weights = Record<Exclude<Action['kind'], 'heal'>, number>

type ChangeWeights = Pick<
  Weights,
  'change' | 'watch' | 'discover' | 'show' | 'transfer' | 'lose disk' | 'return disk'
>

/** Without changes, all these weights are 0, and the schedule is the same as without these kinds of steps. */
export function drawChangeWeights(chance: Chance, change: number): ChangeWeights {
  if (change === 0)
    return { change: 0, watch: 0, discover: 0, show: 0, transfer: 0, 'lose disk': 0, 'return disk': 0 }
  return {
    change: change * 2,
    watch: chance.of([0, 0.01, 0.03]),
    discover: chance.of([0.02, 0.1, 0.3]),
    show: chance.of([0.02, 0.1]),
    transfer: chance.of([0.02, 0.1, 0.3]),
    'lose disk': chance.of([0, 0, 0.01, 0.03]),
    'return disk': chance.of([0, 0, 0.01]),
  }
}

type DamageWeights = Pick<Weights, 'damage' | 'mend'>

/** A mended record is soon damaged again, so that a schedule has several damages of one key. */
export function drawDamageWeights(chance: Chance, damages: Profile['damages']): DamageWeights {
  const damage = chance.of(damages)
  return { damage, mend: damage * chance.of([0.2, 0.5, 1]) }
}

export function drawWeights(
  chance: Chance,
  submit: number,
  looks: Profile['looks'],
): Omit<Weights, keyof ChangeWeights | keyof DamageWeights | 'invent'> {
  const look = chance.of(looks)
  const rare = () => chance.of([0, 0, 0.01, 0.05])
  return {
    deliver: 1,
    submit: submit * 1.5,
    repeat: rare(),
    lose: chance.of([0, 0.02, 0.1, 0.3]),
    'crash on': rare(),
    crash: chance.of([0, 0, 0.01, 0.03]),
    restart: chance.of([0.02, 0.1]),
    sync: 0.05,
    suspect: chance.of([0, 0.02, 0.1]),
    expire: chance.of([0, 0, 0.005, 0.03]),
    replace: chance.of([0, 0, 0.005, 0.02]),
    look,
    grace: look * chance.of([0.1, 0.3]),
  }
}

export function drawCommands(chance: Chance, count: number, emphases: Profile['emphases']): Command[] {
  const emphasis = chance.of(emphases)
  const commands: Command[] = []
  for (let i = 0; i < count; i += 1) {
    const kind =
      i === 0 || chance.happens(0.2) ? 'create' : chance.of(['update', 'delete', 'read', emphasis] as const)
    if (kind === 'read') commands.push({ kind: chance.happens(0.2) ? 'settle' : kind })
    else if (kind === 'create') commands.push({ kind })
    else commands.push({ kind, version: chance.happens(0.3) ? chance.between(1, 3) : undefined })
  }
  return commands
}
