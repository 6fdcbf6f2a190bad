import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MUTATIONS } from './mutations.ts'
import { run } from './small/schedule.ts'

for (const { name, protocol, profile, seedsMax } of MUTATIONS) {
  test(`the checkers notice when ${name}`, (t) => {
    for (let seed = 1; seed <= seedsMax; seed += 1) {
      const { failure } = run(seed, protocol, profile)
      if (failure === undefined) continue
      t.diagnostic(`seed ${seed}: ${failure.message}`)
      return
    }
    assert.fail(`not noticed in ${seedsMax} seeds`)
  })
}
