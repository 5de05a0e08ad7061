package rpc

import (
	"strconv"

	"google.golang.org/protobuf/types/known/timestamppb"

	impactv1 "github.com/trama-suite/trama/proto/gen/go/trama/impact/v1"
	"github.com/trama-suite/trama/services/impact/internal/domain"
	platform "github.com/trama-suite/trama/services/platform/rpc"
)

func theoryFrom(t *impactv1.Theory) (domain.Theory, error) {
	out := domain.Theory{Organisation: t.GetOrganisation(), Project: t.GetProject(), Title: textFrom(t.GetTitle())}
	for _, n := range t.GetNodes() {
		out.Nodes = append(out.Nodes, domain.Node{
			Key: n.GetKey(), Type: word[domain.NodeType](n.GetType()), Title: textFrom(n.GetTitle()), Description: textFrom(n.GetDescription()),
		})
	}
	for i, l := range t.GetLinks() {
		link := domain.Link{From: l.GetFrom(), To: l.GetTo(), Type: word[domain.LinkType](l.GetType())}
		for j, a := range l.GetAssumptions() {
			assumption := domain.Assumption{Key: a.GetKey(), Statement: textFrom(a.GetStatement()), State: word[domain.Verdict](a.GetState())}
			if assumption.State == "" {
				assumption.State = domain.Untested
			}
			for k, e := range a.GetEvidence() {
				evidence, err := evidenceFrom(e)
				if err != nil {
					return domain.Theory{}, under("links["+strconv.Itoa(i)+"].assumptions["+strconv.Itoa(j)+"].evidence["+strconv.Itoa(k)+"]", err)
				}
				assumption.Evidence = append(assumption.Evidence, evidence)
			}
			link.Assumptions = append(link.Assumptions, assumption)
		}
		out.Links = append(out.Links, link)
	}
	return out, nil
}

func evidenceFrom(e *impactv1.Evidence) (domain.Evidence, error) {
	date, err := day("date", e.GetDate())
	return domain.Evidence{Finding: textFrom(e.GetFinding()), Verdict: word[domain.Verdict](e.GetVerdict()), Source: e.GetSource(), Date: date}, err
}

func theoryTo(t domain.Theory) *impactv1.Theory {
	return &impactv1.Theory{
		Name: t.Name, Organisation: t.Organisation, Project: t.Project, Title: textTo(t.Title),
		Nodes: nodesTo(t.Nodes), Links: linksTo(t.Links), PublishedVersion: t.Published,
		CreateTime: timestamppb.New(t.CreateTime), UpdateTime: timestamppb.New(t.UpdateTime), Etag: platform.Etag(t.Version),
	}
}

func nodesTo(nodes []domain.Node) []*impactv1.Node {
	out := make([]*impactv1.Node, len(nodes))
	for i, n := range nodes {
		out[i] = &impactv1.Node{Key: n.Key, Type: enum[impactv1.NodeType](n.Type), Title: textTo(n.Title), Description: textTo(n.Description)}
	}
	return out
}

func linksTo(links []domain.Link) []*impactv1.Link {
	out := make([]*impactv1.Link, len(links))
	for i, l := range links {
		out[i] = &impactv1.Link{From: l.From, To: l.To, Type: enum[impactv1.LinkType](l.Type)}
		for _, a := range l.Assumptions {
			assumption := &impactv1.Assumption{Key: a.Key, Statement: textTo(a.Statement), State: enum[impactv1.AssumptionState](a.State)}
			for _, e := range a.Evidence {
				assumption.Evidence = append(assumption.Evidence, &impactv1.Evidence{
					Finding: textTo(e.Finding), Verdict: enum[impactv1.AssumptionState](e.Verdict), Source: e.Source, Date: e.Date.String(),
				})
			}
			out[i].Assumptions = append(out[i].Assumptions, assumption)
		}
	}
	return out
}

func theoryVersionTo(v domain.TheoryVersion) *impactv1.TheoryVersion {
	return &impactv1.TheoryVersion{
		Name: v.Theory + "/versions/" + strconv.Itoa(int(v.Number)), Title: textTo(v.Title),
		Nodes: nodesTo(v.Nodes), Links: linksTo(v.Links), PublishTime: timestamppb.New(v.PublishTime),
	}
}
