import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { test } from 'node:test'

const MODULE = new URL('raw-arguments.ts', import.meta.url).href

/** What a program with these arguments, as bash writes them, says of them. */
function saidOf(args: string): string {
  const program = `
    const { refuseGarbledArguments } = await import(${JSON.stringify(MODULE)})
    try { refuseGarbledArguments(process.argv.slice(1)) } catch ({ message }) { console.log(message) }`
  const script = `"$0" --input-type=module -e "$1" ${args}`
  return execFileSync('bash', ['-c', script, process.execPath, program]).toString()
}

test('an argument that is not UTF-8 is refused by name, in every place where one can stand', {
  skip: !existsSync('/proc/self/cmdline'),
}, () => {
  for (const [args, shown] of [
    ["create $'caf\\xe9'", 'caf\\xe9'],
    ["get a$'\\xff'b --json", 'a\\xffb'],
    ["create a --description $'caf\\xe8'", 'caf\\xe8'],
    ["create a --label=k=$'\\xc3'", '--label=k=\\xc3'],
  ] as const) {
    assert.equal(saidOf(args), `the argument "${shown}" is not UTF-8 text\n`)
  }
  assert.equal(saidOf("get $'\\xef\\xbf\\xbd'"), '', 'a U+FFFD that was typed')
})
