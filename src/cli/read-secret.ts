import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import type { Output } from './output.ts'

/** More than any key or token has. */
const SECRET_LENGTH_MAX = 65_536

/** A secret from stdin: one line that a person types, which is not shown, or all that a program sends. */
export async function readSecret(prompt: string, stderr: Pick<Output, 'write'>): Promise<string> {
  const { stdin } = process
  if (!stdin.isTTY) {
    let text = ''
    for await (const chunk of stdin.setEncoding('utf8')) {
      text += chunk
      if (text.length > SECRET_LENGTH_MAX) break
    }
    return text
  }
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: stdin, output: nowhere, terminal: true })
  try {
    stderr.write(prompt)
    return await lines.question('')
  } finally {
    lines.close()
    stderr.write('\n')
  }
}
