/** Programs that do one thing and end: `ip`, `nft`, `ethtool`, `sysctl`. */
import { spawn } from 'node:child_process';
import { LabError } from './lab-error.ts';
import { systemEnvironment } from './requirements.ts';

export interface ToolCall {
  readonly program: string;
  readonly args: readonly string[];
  /** For its standard input. */
  readonly input?: string;
}

/** Against a tool that hangs: none of them takes a second. */
const TOOL_MS = 30_000;
const MAX_SHOWN_LEN = 600;

/** Standard output; throws LabError with what the tool said when it did not succeed. */
export function runTool({ program, args, input = '' }: ToolCall): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { env: systemEnvironment(), timeout: TOOL_MS });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    // It may end before it has read everything; its status tells.
    child.stdin.on('error', () => {});
    child.on('error', (error) => reject(new LabError(`${program}: ${error.message}`)));
    child.on('close', (code, signal) => {
      if (code === 0) resolve(stdout);
      else reject(new LabError(complaint(program, args, code ?? signal, stderr || stdout)));
    });
    child.stdin.end(input);
  });
}

function complaint(
  program: string,
  args: readonly string[],
  how: number | string | null,
  said: string,
): string {
  const text = said.trim().slice(0, MAX_SHOWN_LEN);
  return `${[program, ...args].join(' ')} ended with ${how}: ${text}`;
}
