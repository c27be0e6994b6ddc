/**
 * Widgets in the outputs of cells: a renderer for their mime type, in JupyterLab and Notebook 7.
 *
 * Responsible for drawing the JSON that stands in the notebook, which needs no kernel, and for handing clicks
 * to whoever reaches the kernel. The renderer of the components is loaded with the first widget.
 */
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';
import { render } from 'preact';
import { loadChunk } from './chunks';
import type { WidgetAction } from './messages.gen';
import { PartShelf } from './panel/parts';
import type { Translator } from './panel/translation';
import { WIDGET_MIME, widgetsIn } from './panel/views/Widgets';
import { actInPage } from './panel/widgetactions';

export interface OutputSurroundings {
  readonly trans: Translator;
  /** Carries a click out in the kernel of the notebook in which the element lies. */
  act(element: HTMLElement, clicked: Omit<WidgetAction, 'id' | 'type'>): Promise<void>;
}

const parts = new PartShelf(loadChunk);

class WidgetOutput extends Widget implements IRenderMime.IRenderer {
  private model: IRenderMime.IMimeModel | null = null;

  constructor(private readonly surroundings: OutputSurroundings) {
    super();
    this.addClass('vk-widget-output');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.model = model;
    await parts.fetch('widgets');
    // A newer state may have come meanwhile.
    if (this.model === model && !this.isDisposed) {
      this.draw(model);
    }
  }

  override dispose(): void {
    if (!this.isDisposed) {
      render(null, this.node);
    }
    super.dispose();
  }

  private draw(model: IRenderMime.IMimeModel): void {
    const { surroundings } = this;
    const { trans } = surroundings;
    const data = model.data[WIDGET_MIME] as { said?: unknown } | undefined;
    const widgets = widgetsIn(data);
    const part = parts.get('widgets');
    if (!widgets || !part) {
      this.node.textContent = String(model.data['text/plain'] ?? '');
      return;
    }
    const said = typeof data?.said === 'string' ? data.said : '';
    render(
      <>
        {said && <div class="vk-widget-said">{said}</div>}
        {widgets.map(widget => (
          <part.WidgetView
            key={widget.id}
            root={widget.root}
            trans={trans}
            parts={parts}
            onAction={(action, values, item_id) =>
              action.handler === 'client'
                ? actInPage(action, trans)
                : surroundings.act(this.node, {
                    widget_id: widget.id,
                    item_id,
                    action: { ...action, payload: action.payload ?? null, streaming: true },
                    values,
                    surface_id: ''
                  })
            }
          />
        ))}
      </>,
      this.node
    );
  }
}

export function widgetFactory(surroundings: OutputSurroundings): IRenderMime.IRendererFactory {
  return {
    // It runs nothing of what stands in the data: notebooks of strangers may show theirs.
    safe: true,
    mimeTypes: [WIDGET_MIME],
    defaultRank: 10,
    createRenderer: () => new WidgetOutput(surroundings)
  };
}
