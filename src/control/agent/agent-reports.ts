/** What backends say of themselves takes effect: their wishes in a plan, their health at once. */
import type { Administration } from '../administration.ts';
import type { Changeover } from '../changeover.ts';
import type { Findings } from '../findings.ts';
import type { HealthWatch } from '../health/health.ts';
import type { BackendName } from '../overrides.ts';
import type { AgentWords } from './agent-line.ts';
import type { AgentHost, AgentTarget } from './agent-watch.ts';

export interface AgentReportsDeps {
  readonly administration: Administration;
  readonly health: HealthWatch;
  readonly findings: Findings;
  administer: Changeover['administer'];
}

export class AgentReports implements AgentHost {
  readonly #deps: AgentReportsDeps;
  /** A plan with what has been said is to come. */
  #isPlanDue = false;

  constructor(deps: AgentReportsDeps) {
    this.#deps = deps;
  }

  onAnswer(target: AgentTarget, words: AgentWords, line: string): void {
    const { administration, health, findings } = this.#deps;
    const { state, weight, maxConnections, unknown } = words;
    health.agentAsked(target.slot);
    findings.agentAsked(target, line, unknown && `${JSON.stringify(unknown)} means nothing`);
    const wish = {
      ...(state && { state }),
      ...(weight !== undefined && { weight }),
      ...(maxConnections !== undefined && { maxConnections }),
    };
    if (administration.sourceSays(target, wish)) this.#planAnew();
    if (words.health !== undefined)
      health.agentSays(target, words.health === 'up' ? 'up' : 'down', `Agent: ${line.trim()}`);
  }

  onSilence(target: AgentTarget, problem: string): void {
    this.#deps.health.agentAsked(target.slot);
    this.#deps.findings.agentAsked(target, undefined, problem);
  }

  onSkipped(target: AgentTarget, detail: string): void {
    this.#deps.health.agentSkipped(target, detail);
  }

  onEnd(target: AgentTarget): void {
    this.#deps.administration.forgetSource(target);
    this.#deps.health.forgetAgent(target.slot);
    this.#planAnew();
  }

  isInMaintenance(name: BackendName): boolean {
    return this.#deps.administration.layersOf(name)?.operator === 'maint';
  }

  /** Many agents may say something at once: one plan has it all. */
  #planAnew(): void {
    if (this.#isPlanDue) return;
    this.#isPlanDue = true;
    const begin = (): void => {
      this.#isPlanDue = false;
    };
    // A proxy that is stopping has no use for it.
    this.#deps.administer(begin).catch(() => undefined);
  }
}
