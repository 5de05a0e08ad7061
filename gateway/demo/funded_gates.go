package demo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/trama-suite/trama/gateway/rest"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
)

// forgotten is the artefact without which the first request to pass a gate is
// made.
const forgotten = "business-case"

// start takes the project through its first gate: asked for too early, refused,
// and asked for again with the artefact that was missing.
func (l *loader) start(ctx context.Context, _ *world, who *cast, project *projectsv1.Project) error {
	return l.passGate(ctx, who, project, "rfp", projectsv1.Phase_PHASE_INITIATION, forgotten)
}

func (l *loader) execute(ctx context.Context, _ *world, who *cast, project *projectsv1.Project) error {
	return l.passGate(ctx, who, project, "rfe", projectsv1.Phase_PHASE_PLANNING, "")
}

// passGate takes the project from a phase through a gate: the manager hands in
// what it wants and asks, the operator decides. What late names is handed in only
// after a first request was refused for it.
func (l *loader) passGate(ctx context.Context, who *cast, project *projectsv1.Project, gate string, from projectsv1.Phase, late string) error {
	if project.GetPhase() != from {
		return nil
	}
	if late != "" {
		if err := l.refusedAt(ctx, who, project, gate, late); err != nil {
			return err
		}
	}
	if err := l.handIn(ctx, who, project, gate, ""); err != nil {
		return err
	}
	request, err := l.pending(ctx, who, project, gate, "again")
	if err != nil {
		return err
	}
	key := "project/" + projectFunded + "/approve/" + gate
	if err := l.post(ctx, "/v1/"+request.GetName()+":approve", key, &projectsv1.ApproveGateRequest{Note: "Comitato di progetto"}, request); err != nil {
		return err
	}
	return l.get(ctx, "/v1/"+project.GetName(), project)
}

// refusedAt asks for the gate without an artefact, sees the approval refused, and
// has the request rejected with what the platform said.
func (l *loader) refusedAt(ctx context.Context, who *cast, project *projectsv1.Project, gate, late string) error {
	refused, err := l.rejected(ctx, project.GetName(), gate)
	if err != nil || refused != "" {
		return err
	}
	if err := l.handIn(ctx, who, project, gate, late); err != nil {
		return err
	}
	request, err := l.pending(ctx, who, project, gate, "first")
	if err != nil {
		return err
	}
	key := "project/" + projectFunded + "/too-early/" + gate
	err = l.post(ctx, "/v1/"+request.GetName()+":approve", key, &projectsv1.ApproveGateRequest{}, nil)
	problem, ok := errors.AsType[*rest.Problem](err)
	if !ok || problem.Reason != "GATE_NOT_READY" || !strings.Contains(problem.Detail, late) {
		return fmt.Errorf("the gate %s without %s was answered with %w, not refused for it", gate, late, orNone(err))
	}
	return l.post(ctx, "/v1/"+request.GetName()+":reject", key+"/reject", &projectsv1.RejectGateRequest{Reason: problem.Detail}, nil)
}

var errNone = errors.New("no error")

func orNone(err error) error {
	if err == nil {
		return errNone
	}
	return err
}

// rejected returns why the first request to pass a gate was rejected; empty where
// none was.
func (l *loader) rejected(ctx context.Context, project, gate string) (string, error) {
	page := &projectsv1.ListGateApprovalsResponse{}
	all, err := list(ctx, l, "/v1/"+project+"/gateApprovals", "", page, page.GetGateApprovals)
	for _, a := range all {
		if strings.HasSuffix(a.GetGate(), gate) && a.GetState() == projectsv1.GateApprovalState_GATE_APPROVAL_STATE_REJECTED {
			return a.GetDecisionNote(), err
		}
	}
	return "", err
}

// pending returns the request that waits for a decision, and makes it where there
// is none.
func (l *loader) pending(ctx context.Context, who *cast, project *projectsv1.Project, gate, which string) (*projectsv1.GateApproval, error) {
	page := &projectsv1.ListGateApprovalsResponse{}
	all, err := list(ctx, l, "/v1/"+project.GetName()+"/gateApprovals", "", page, page.GetGateApprovals)
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		if strings.HasSuffix(a.GetGate(), gate) && a.GetState() == projectsv1.GateApprovalState_GATE_APPROVAL_STATE_PENDING {
			return a, nil
		}
	}
	out := &projectsv1.GateApproval{}
	path := "/v1/" + project.GetName() + "/gates/" + gate + ":request"
	return out, who.manager.post(ctx, path, "project/"+projectFunded+"/request/"+gate+"/"+which, &projectsv1.RequestGateRequest{Note: "Scenario dimostrativo"}, out)
}

// handIn records the documents that a gate wants and confirms the points of its
// checklist, all but one.
func (l *loader) handIn(ctx context.Context, who *cast, project *projectsv1.Project, gate, but string) error {
	g := &projectsv1.Gate{}
	if err := l.get(ctx, "/v1/"+project.GetName()+"/gates/"+gate, g); err != nil {
		return err
	}
	for _, a := range g.GetArtefacts() {
		if a.GetReadiness() != projectsv1.Readiness_READINESS_MISSING || a.GetArtefact() == but {
			continue
		}
		key := "project/" + projectFunded + "/artefact/" + a.GetArtefact()
		switch a.GetCheck() {
		case projectsv1.ArtefactCheck_ARTEFACT_CHECK_CONFIRMATION:
			req := &projectsv1.ConfirmArtefactRequest{Artefact: a.GetArtefact(), Confirmed: true, Note: "Verificato"}
			if err := who.manager.post(ctx, "/v1/"+g.GetName()+":confirm", key, req, nil); err != nil {
				return err
			}
		case projectsv1.ArtefactCheck_ARTEFACT_CHECK_DOCUMENT:
			content := pdf(a.GetTitle().GetText(), fundedTitle, "Documento campione")
			if a.GetArtefact() == "project-end-report" {
				var err error
				if content, err = who.manager.download(ctx, "/v1/"+project.GetName()+"/closingReport?languageCode=it"); err != nil {
					return err
				}
			}
			file, err := who.manager.file(ctx, project.GetName(), a.GetArtefact()+".pdf", "application/pdf", content)
			if err != nil {
				return err
			}
			req := &projectsv1.RecordArtefactRequest{Artefact: a.GetArtefact(), Sha256: file.GetSha256(), Note: file.GetDisplayName()}
			if err := who.manager.post(ctx, "/v1/"+g.GetName()+":record", key, req, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// file uploads a file of that name, where the caller does not find it among those
// of the project.
func (l *loader) file(ctx context.Context, project, name, mediaType string, content []byte) (*projectsv1.File, error) {
	path := "/v1/" + project + "/files"
	sum := sha256.Sum256(content)
	query := url.Values{"displayName": {name}, "sha256": {hex.EncodeToString(sum[:])}}
	made := &projectsv1.File{}
	err := l.again(ctx, func(ctx context.Context) error {
		// An upload has no idempotency key: an attempt whose answer was lost is
		// found by the file's name.
		page := &projectsv1.ListFilesResponse{}
		all, err := list(ctx, l, path, "", page, page.GetFiles)
		if err != nil {
			return err
		}
		for _, f := range all {
			if f.GetDisplayName() == name {
				made = f
				return nil
			}
		}
		return l.client.Upload(ctx, path+"?"+query.Encode(), mediaType, content, made)
	})
	if err != nil {
		return nil, fmt.Errorf("POST %s (%s): %w", path, name, err)
	}
	return made, nil
}

// close hands over and accepts the results, closes the registers, writes the
// lessons down, and takes the project through its last two gates.
func (l *loader) close(ctx context.Context, w *world, who *cast, project *projectsv1.Project) error {
	if project.GetPhase() == projectsv1.Phase_PHASE_EXECUTION {
		if err := l.finishTasks(ctx, who, project); err != nil {
			return err
		}
		if err := l.fundedDeliverables(ctx, w, who, project); err != nil {
			return err
		}
		if err := l.settleRegisters(ctx, who, project); err != nil {
			return err
		}
	}
	if err := l.passGate(ctx, who, project, "rfc", projectsv1.Phase_PHASE_EXECUTION, ""); err != nil {
		return err
	}
	if err := who.manager.lessons(ctx, w, plan{key: projectFunded, lessons: fundedLessons}, project.GetName()); err != nil {
		return err
	}
	return l.passGate(ctx, who, project, "close", projectsv1.Phase_PHASE_CLOSING, "")
}

// fundedLessons are shared with the network.
var fundedLessons = []lesson{
	{"Fatture con IVA recuperabile", "Rendicontazione a due finanziatori con regole diverse", "Una fattura è stata rendicontata al lordo e il controllo automatico l'ha fermata prima dell'invio",
		"Registrare subito se l'IVA si recupera e rendicontare l'imponibile"},
	{"Firme alle trasferte", "Controllo del primo rendiconto", "Una spesa di trasferta è rimasta sospesa un anno perché mancava il foglio firme",
		"Caricare il foglio firme insieme alla nota spese, il giorno stesso"},
}
