/** Schedules of the small world with the code as it ships. */
import assert from 'node:assert/strict'
import { PROTOCOL } from '../protocol.ts'
import { PROFILE, type Profile, STABLE } from './profile.ts'
import { run } from './schedule.ts'
import { report } from './shrink.ts'

/** `seeds`: of `make test`. `longSeeds`: of `make test-long`. `npm run sim` looks further. */
export type Search = Readonly<{ of: string; profile: Profile; seeds: number; longSeeds: number }>

export const SEARCHES: readonly Search[] = [
  { of: 'an unchanging membership', profile: STABLE, seeds: 2_000, longSeeds: 40_000 },
  {
    of: 'a membership that changes',
    profile: { ...PROFILE, changesMax: [1, 2, 4] },
    seeds: 400,
    longSeeds: 10_000,
  },
  {
    of: 'disks that spoil records',
    profile: { ...PROFILE, damages: [0.05, 0.1, 0.3] },
    seeds: 300,
    longSeeds: 4_000,
  },
  {
    of: 'a node that invents memberships',
    profile: { ...PROFILE, changesMax: [1, 2, 4], inventions: [0.02, 0.1] },
    seeds: 300,
    longSeeds: 10_000,
  },
  // Lineages are too short, and more operations wait for each other.
  {
    of: 'many operations',
    profile: { ...PROFILE, operationCount: [60, 90], stepsPerOperation: [8, 14] },
    seeds: 40,
    longSeeds: 600,
  },
]

/** Asserts that no rule breaks in the schedules of the seeds from 1 on. */
export function assertSchedulesHold({ profile }: Search, seeds: number): void {
  for (let seed = 1; seed <= seeds; seed += 1) {
    const result = run(seed, PROTOCOL, profile)
    if (result.failure !== undefined) assert.fail(report(seed, result))
  }
}
