import { test } from 'node:test'
import { MUTATIONS } from './mutations.ts'
import { assertNoticed } from './notice.ts'
import { run } from './small/schedule.ts'

for (const { name, protocol, profile, ...suspects } of MUTATIONS) {
  test(`the checkers notice when ${name}`, async (t) => {
    await assertNoticed(t, suspects, (seed) => run(seed, protocol, profile).failure)
  })
}
