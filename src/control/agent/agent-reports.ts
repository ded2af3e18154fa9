/** What backends say of themselves takes effect: their wishes in a plan, their health at once. */
import type { Administration } from '../administration.ts';
import type { Changeover } from '../changeover.ts';
import type { HealthWatch } from '../health/health.ts';
import type { BackendName } from '../overrides.ts';
import type { Reporter } from '../reporter.ts';
import type { AgentWords } from './agent-line.ts';
import type { AgentHost, AgentTarget } from './agent-watch.ts';

export interface AgentReportsDeps {
  readonly administration: Administration;
  readonly health: HealthWatch;
  readonly reporter: Reporter;
  administer: Changeover['administer'];
}

export class AgentReports implements AgentHost {
  readonly #deps: AgentReportsDeps;
  /** A plan with what has been said is to come. */
  #isReplanDue = false;

  constructor(deps: AgentReportsDeps) {
    this.#deps = deps;
  }

  onAnswer(target: AgentTarget, words: AgentWords, line: string): void {
    const { administration, health, reporter } = this.#deps;
    const { state, weight, maxConnections, unknown } = words;
    health.agentAsked(target.slot);
    reporter.agentAsked(target, line, unknown && `${JSON.stringify(unknown)} means nothing`);
    const fields = {
      ...(state && { state }),
      ...(weight !== undefined && { weight }),
      ...(maxConnections !== undefined && { maxConnections }),
    };
    if (administration.sourceSays(target, fields)) this.#scheduleReplan();
    if (words.health !== undefined)
      health.agentSays(target, words.health === 'up' ? 'up' : 'down', `Agent: ${line.trim()}`);
  }

  onSilence(target: AgentTarget, problem: string): void {
    this.#deps.health.agentAsked(target.slot);
    this.#deps.reporter.agentAsked(target, undefined, problem);
  }

  onSkipped(target: AgentTarget, detail: string): void {
    this.#deps.health.agentSkipped(target, detail);
  }

  onEnd(target: AgentTarget): void {
    this.#deps.administration.forgetSource(target);
    this.#deps.health.forgetAgent(target.slot);
    this.#scheduleReplan();
  }

  isInMaintenance(name: BackendName): boolean {
    return this.#deps.administration.layersOf(name)?.operator === 'maint';
  }

  /** Many agents may say something at once: one plan has it all. */
  #scheduleReplan(): void {
    if (this.#isReplanDue) return;
    this.#isReplanDue = true;
    const begin = (): void => {
      this.#isReplanDue = false;
    };
    // A proxy that is stopping has no use for it.
    this.#deps.administer(begin).catch(() => undefined);
  }
}
